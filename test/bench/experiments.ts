/** @file Runs experiments through the command line, as a user does, and collects their summaries. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventOf, RunEvent, Summary } from '../../server/protocol/run/events.ts';
import { sampleStatistics } from '../../server/protocol/run/sampleStatistics.ts';
import type { Comparison } from './bench.ts';

/** One training run. */
export interface ExperimentRun {
  readonly name: string;
  /** Experiment file, relative to the checkout. */
  readonly file: string;
  /** `path=value` texts for --set. */
  readonly overrides: readonly string[];
  readonly seed: number;
}

export interface ExperimentResult extends ExperimentRun {
  readonly command: string;
  readonly summary: Summary;
}

/** The command that repeats a run. */
export function commandOf({ file, overrides, seed }: ExperimentRun): string {
  const settings = [...overrides, `training.seed=${seed}`].map((override) => ` --set '${override}'`);
  return `npx deeptwist run ${file}${settings.join('')}`;
}

/**
 * Runs experiments side by side, one thread each, as many at once as there are cores; or one after another with the
 * threads that a run takes by default. Their run folders are removed, unless they are kept in `keep`: then those that are there
 * and finished are not run again, and one that was interrupted goes on.
 * @returns the results in the order of `runs`
 * @throws Error with what a run wrote, when one fails
 */
export async function runExperiments(
  runs: readonly ExperimentRun[],
  { threads = 'one', keep }: { threads?: 'one' | 'default'; keep?: string } = {},
): Promise<ExperimentResult[]> {
  const results: ExperimentResult[] = [];
  const waiting = runs.map((run, index) => ({ run, index }));
  const work = async (folder: string): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const out = keep === undefined ? folder : keptFolder(keep, next.run);
      const summary = await runExperiment(next.run, out, threads === 'one' ? ['training.threads=1'] : []);
      results[next.index] = { ...next.run, command: commandOf(next.run), summary };
      console.log(
        `  ${next.run.name}, seed ${next.run.seed}: ${metricText(summary)} at ` +
          `${summary.weightRatio.toFixed(1)}x, ${summary.trainingSeconds.toFixed(0)} s`,
      );
    }
  };
  const length = threads === 'one' ? Math.min(availableParallelism(), runs.length) : 1;
  await withKeptFolder(keep, (folder) => Promise.all(Array.from({ length }, () => work(folder))));
  return results;
}

/** The test metric of a finished run, as the field writes it. */
export function metricText({ metric, test }: Pick<Summary, 'metric' | 'test'>): string {
  return metric === 'accuracy' ? `${(100 * test).toFixed(2)}%` : `${metric} ${test.toFixed(2)}`;
}

/** The folder in which a run of a kept series has its run folder. */
export function keptFolder(keep: string, { name, seed }: Pick<ExperimentRun, 'name' | 'seed'>): string {
  return join(keep, `${name.replaceAll(/[^\w.-]+/g, '-')}-${seed}`);
}

/** Calls `use` with the folder of `--keep`, or with one that is removed after it. */
export async function withKeptFolder<R>(keep: unknown, use: (folder: string) => Promise<R>): Promise<R> {
  if (typeof keep === 'string') return use(keep);
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The test perplexity of a run beside that of the pre-trained model: a ratio above 1 is a lower one. */
export function besidePretrained(name: string, run: ExperimentResult, pretrained: ExperimentResult): Comparison {
  const [ours, theirs] = [run.summary.test, pretrained.summary.test];
  return {
    case: name,
    rival: 'pre-trained',
    threads: 1,
    ours,
    theirs,
    unit: 'perplexity',
    ratio: theirs / ours,
    target: 1,
  };
}

/** The events of a run of a kept series; none before it has begun. */
export function keptEvents(folder: string): RunEvent[] {
  const [id] = existsSync(folder) ? readdirSync(folder) : [];
  const file = join(folder, id ?? '', 'events.jsonl');
  if (id === undefined || !existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as RunEvent);
}

/** True for an evaluation between steps: its weights are those that the training has then. */
export function isEvaluationInTraining(event: RunEvent): event is EventOf<'evaluation'> {
  return event.type === 'evaluation' && event.moment === 'training';
}

function runExperiment(
  { file, overrides, seed }: ExperimentRun,
  out: string,
  more: readonly string[],
): Promise<Summary> {
  return runInto(out, file, [...overrides, `training.seed=${seed}`, ...more]);
}

/**
 * The result of a run in the folder `out`: one that is there and finished is not run again, and one that was interrupted goes on.
 * @param settings `path=value` texts for --set
 * @throws Error with what the run wrote, when it fails
 */
export function runInto(out: string, file: string, settings: readonly string[]): Promise<Summary> {
  const last = keptEvents(out).at(-1);
  if (last?.type === 'finished') return Promise.resolve(last.summary);
  const sets = settings.flatMap((setting) => ['--set', setting]);
  const args = last ? ['resume', out] : ['run', file, '--out', out, ...sets];
  const child = spawn(process.execPath, ['bin/deeptwist.js', ...args, '--json']);
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    // Only the last line is wanted, and a run prints thousands.
    output = (output + text).slice(-200_000);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('exit', onExit);
      const end = output.trimEnd().split('\n').at(-1) ?? '';
      if (code !== 0) return reject(new Error(`${file} ended with ${code}:\n${errors}${end}`));
      const event = JSON.parse(end) as RunEvent;
      if (event.type !== 'finished') return reject(new Error(`${file} ended with the event ${event.type}.`));
      resolve(event.summary);
    });
  });
}

/** Mean and sample standard deviation; 0 for one value. */
export function spread(values: readonly number[]): { mean: number; deviation: number } {
  const { mean, deviation = 0 } = sampleStatistics(values);
  return { mean, deviation };
}
