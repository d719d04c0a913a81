/**
 * @file The frame of the benchmarks. A benchmark is a file of this folder with a default export of type
 * {@link Benchmark}; `npm run bench -- NAME` runs it. Ours and its rivals take turns, round by round, so that a slow
 * minute of the machine meets all of them; the figure of each is its median over the rounds, the first left out.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { exitOnSignals } from '../../scripts/leftovers.js';
import { describeMachine } from './machine.ts';

/** One side of a comparison. */
export interface Contender {
  readonly name: string;
  /** Versions, threads, settings: what one needs to repeat the measurement. */
  readonly description: Readonly<Record<string, unknown>>;
  /** Measures one round, in the unit of its case. */
  round(): Promise<number>;
  close(): Promise<void>;
}

/** One comparison: the same work, done by ours and by each rival. */
export interface Case {
  readonly name: string;
  readonly threads: number;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** The ratio that is asked for; above 1 ours is better. */
  readonly target: number;
  /** Rounds that count, after one to warm up. */
  readonly rounds: number;
  readonly ours: () => Promise<Contender>;
  readonly rivals: readonly (() => Promise<Contender>)[];
}

type Options = Readonly<Record<string, unknown>>;

/** Either cases that take turns, or a measurement of another kind. */
export type Benchmark = {
  /** The benchmark's own options, besides `--json`. */
  readonly options: NonNullable<ParseArgsConfig['options']>;
} & ({ cases(options: Options): readonly Case[] } | { run(options: Options): Promise<readonly Result[]> });

/** One line of the report. */
export type Result = Comparison | Limited;

interface Figure {
  readonly case: string;
  /** A median unless the case says otherwise, in `unit`. */
  readonly ours: number;
  readonly unit: string;
  /** Above 1, ours is better: than the rival, or than the limit asks for. */
  readonly ratio: number;
}

/** Ours against one rival. */
export interface Comparison extends Figure {
  readonly rival: string;
  readonly threads: number;
  readonly theirs: number;
  /** The ratio that is asked for. */
  readonly target: number;
}

/** Ours against a limit. */
export interface Limited extends Figure {
  readonly rival?: undefined;
  /** The limit, in `unit`: ours is to be at most that. */
  readonly target: number;
}

/** A figure of which less is better, beside the most that it may be. */
export function beside(target: number, name: string, ours: number, unit: string): Limited {
  return { case: name, ours, unit, ratio: target / ours, target };
}

/** The middle value; of an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** Opens the contenders of a case, lets them take turns, and closes them. */
async function measure(work: Case): Promise<Comparison[]> {
  const contenders: Contender[] = [];
  try {
    for (const open of [work.ours, ...work.rivals]) {
      const contender = await open();
      contenders.push(contender);
      console.log(`  ${contender.name}: ${JSON.stringify(contender.description)}`);
    }
    const samples = contenders.map((): number[] => []);
    for (let round = 0; round <= work.rounds; round++) {
      for (const [index, contender] of contenders.entries()) {
        const value = await contender.round();
        if (round > 0) samples[index].push(value);
      }
    }
    for (const [index, contender] of contenders.entries()) {
      const [low, high] = [Math.min(...samples[index]), Math.max(...samples[index])].map((value) => value.toFixed(3));
      console.log(`  ${contender.name}: ${median(samples[index]).toFixed(3)} ${work.unit} (${low} to ${high})`);
    }
    const [ours, ...theirs] = samples.map(median);
    return theirs.map((value, index) => ({
      case: work.name,
      rival: contenders[index + 1].name,
      threads: work.threads,
      ours: ours,
      theirs: value,
      unit: work.unit,
      ratio: work.better === 'lower' ? value / ours : ours / value,
      target: work.target,
    }));
  } finally {
    await Promise.all(contenders.map((contender) => contender.close()));
  }
}

/**
 * The case of this name with each side at the number of threads that suits it best, ours against the best of the rivals
 * whose names start with `rivals`.
 */
export function atBetterThreads(
  results: readonly Comparison[],
  { name, better, target }: Pick<Case, 'name' | 'better' | 'target'>,
  rivals: string,
): Comparison {
  const own = results.filter((result) => result.case === name && result.rival.startsWith(rivals));
  const isBetter = (a: number, b: number) => (better === 'lower' ? a < b : a > b);
  const ours = own.reduce((best, result) => (isBetter(result.ours, best.ours) ? result : best));
  const theirs = own.reduce((best, result) => (isBetter(result.theirs, best.theirs) ? result : best));
  return {
    ...ours,
    case: `${name}, better threads`,
    rival: `${theirs.rival}, ${theirs.threads} thread${theirs.threads === 1 ? '' : 's'}`,
    theirs: theirs.theirs,
    ratio: better === 'lower' ? theirs.theirs / ours.ours : ours.ours / theirs.theirs,
    target,
  };
}

/** Measures cases one after another. */
export async function measureAll(cases: readonly Case[]): Promise<Comparison[]> {
  const results: Comparison[] = [];
  for (const work of cases) {
    console.log(`${work.name}, ${work.threads} thread${work.threads === 1 ? '' : 's'}`);
    results.push(...(await measure(work)));
  }
  return results;
}

function printTable(results: readonly Result[]): void {
  const rows = results.map((result) => {
    const isComparison = result.rival !== undefined;
    return [
      result.case,
      isComparison ? String(result.threads) : '',
      isComparison ? result.rival : 'limit',
      `${result.ours.toFixed(3)} ${result.unit}`,
      `${(isComparison ? result.theirs : result.target).toFixed(3)} ${result.unit}`,
      `${result.ratio.toFixed(2)}x`,
      isComparison ? `${result.target.toFixed(2)}x` : '',
      result.ratio >= (isComparison ? result.target : 1) ? 'held' : 'MISSED',
    ];
  });
  const table = [['case', 'threads', 'against', 'ours', 'theirs', 'ratio', 'target', ''], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

/** Runs a benchmark from its command line; with `--json` the last line is the whole report as one object. */
export async function runBenchmark(name: string, benchmark: Benchmark, args: readonly string[]): Promise<void> {
  // An orderly exit, so that the contenders are ended with it.
  process.setMaxListeners(0); // each contender listens
  exitOnSignals();
  const { values } = parseArgs({ args: [...args], options: { ...benchmark.options, json: { type: 'boolean' } } });
  const machine = describeMachine();
  console.log(`${name}: ${JSON.stringify(machine)}`);
  const results = 'run' in benchmark ? await benchmark.run(values) : await measureAll(benchmark.cases(values));
  printTable(results);
  if (values.json) console.log(JSON.stringify({ bench: name, machine, results }));
}
