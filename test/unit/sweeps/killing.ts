/**
 * @file Sweeps whose own process, runs, or both are killed (SIGKILL) at random moments and gone on with, beside one that is not interrupted: all runs
 * must end with the same weights, and their logs must have each step once, in order, and one end.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../../server/formats/random.ts';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { listRuns } from '../../../server/runs/findRun.ts';
import type { Run } from '../../../server/runs/run.ts';
import { finalWeightsFile } from '../../../server/training/finalModel.ts';
import { endOf } from '../../endOf.ts';
import { experiment, writeBlobs } from '../training/blobs.ts';
import { trainingProcesses } from '../trainingProcesses.ts';

const FILE = 'blobs.deeptwist.jsonc';
const vary = { 'compression.layers.fc1.rate': [0.5, 0.8], 'training.seed': [1, 2] };
/** What each run of the sweep overrides, in the order of the plan. */
export const plan = vary['compression.layers.fc1.rate'].flatMap((rate) =>
  vary['training.seed'].map((seed) => [`compression.layers.fc1.rate=${rate}`, `training.seed=${seed}`]),
);
export const settings = {
  training: { ...experiment.training, steps: 400, checkpointEvery: 50 },
  compression: { method: 'prune', distortEvery: 10, layers: { fc1: { rate: 0.6 } } },
  sweep: { vary },
};
/** Times that a sweep is killed before it is left to end. */
const KILLS_PER_SWEEP = 3;

/** What a sweep comes to that nobody interrupts. */
export interface WholeSweep {
  /** The final weights of each run, in the order of the plan. */
  readonly weights: readonly Buffer[];
  /** The steps whose metrics each run records. */
  readonly steps: readonly number[];
}

interface TimedSweep extends WholeSweep {
  readonly milliseconds: number;
}

export interface KilledSweep {
  /** What was killed each time. */
  readonly kills: readonly string[];
  /** What is wrong with its end; absent where all is as without kills. */
  readonly fault?: string;
}

function startSweep(installation: string, folder: string, reference: string) {
  const args = [join(installation, 'bin', 'deeptwist.js'), 'sweep', reference, '--parallel', '2'];
  const child = spawn(process.execPath, args, { cwd: folder });
  return { child, ended: endOf(child) };
}

/**
 * @param installation folder with `bin/` and `dist/`
 * @param folder an empty one
 */
export async function sweepToTheEnd(installation: string, folder: string): Promise<TimedSweep> {
  await writeBlobs(folder, settings);
  const begin = performance.now();
  const { code, stdout, stderr } = await startSweep(installation, folder, FILE).ended;
  if (code !== 0) throw new Error(`The sweep that is not interrupted failed:\n${stdout}${stderr}`);
  const milliseconds = performance.now() - begin;
  const runs = await runsOf(folder);
  return { weights: runs.map(weightsOf), steps: metricSteps(eventsOf(runs[0])), milliseconds };
}

/**
 * @param options.installation folder with `bin/` and `dist/`
 * @param options.newFolder makes an empty folder
 * @param options.whole the sweep that is not killed
 * @param options.kills in all, at least
 * @param options.seed of the moments
 */
export async function killSweeps({
  installation,
  newFolder,
  whole,
  kills,
  seed,
}: {
  installation: string;
  newFolder: () => Promise<string>;
  whole: TimedSweep;
  kills: number;
  seed: number;
}): Promise<KilledSweep[]> {
  const random = new Random(seed);
  const children = new Set<ChildProcess>();
  const sweep = (folder: string, reference: string) => {
    const started = startSweep(installation, folder, reference);
    children.add(started.child.once('exit', () => children.delete(started.child)));
    return started;
  };
  try {
    const killed: KilledSweep[] = [];
    let done = 0;
    while (done < kills) {
      const folder = await newFolder();
      await writeBlobs(folder, settings);
      const own: string[] = [];
      let last: Awaited<ReturnType<typeof endOf>> | undefined;
      while (!last) {
        const { child, ended } = sweep(folder, sweepOf(folder) ?? FILE);
        if (own.length === KILLS_PER_SWEEP) {
          last = await ended;
          continue;
        }
        await moment(random.uniform() * whole.milliseconds * 0.6, ended);
        const wanted = (['the sweep', 'runs', 'both'] as const)[random.below(3)];
        const victims = wanted === 'the sweep' ? [] : trainingProcesses().filter(() => random.uniform() < 0.7);
        const kind = victims.length === 0 ? 'the sweep' : wanted;
        const isOver = child.exitCode !== null;
        for (const pid of victims) kill(pid);
        if (kind !== 'runs') child.kill('SIGKILL');
        if (isOver) last = await ended;
        else if (kind === 'runs') {
          own.push(`${victims.length} runs`);
          // It starts them again by itself.
          last = await ended;
        } else {
          own.push(kind === 'both' ? `the sweep and ${victims.length} runs` : kind);
          await ended;
        }
      }
      done += own.length;
      const fault =
        last.code === 0 ? await faultOf(folder, whole) : `exit code ${last.code}:\n${last.stdout}${last.stderr}`;
      killed.push({ kills: own, ...(fault !== undefined && { fault }) });
    }
    return killed;
  } finally {
    for (const child of children) child.kill('SIGKILL');
    for (const pid of trainingProcesses()) kill(pid);
  }
}

/** What is wrong with the runs of a sweep that has ended: undefined where each is there, as without kills, and was trained once. */
export async function faultOf(folder: string, { weights, steps: expected }: WholeSweep): Promise<string | undefined> {
  const { unreadable } = await listRuns(folder);
  if (unreadable.length > 0) return `${unreadable.length} runs cannot be read`;
  const runs = await runsOf(folder);
  if (runs.length !== weights.length) return `${runs.length} runs`;
  for (const [i, run] of runs.entries()) {
    if (run.record.state !== 'finished') return `${run.id} is ${run.record.state}`;
    if (!weightsOf(run).equals(weights[i])) return `${run.id} has other weights`;
    const events = eventsOf(run);
    const steps = metricSteps(events);
    if (steps.length !== expected.length || steps.some((step, k) => step !== expected[k]))
      return `${run.id} does not have each step once`;
    if (events.filter(({ type }) => type === 'finished').length !== 1) return `${run.id} has not ended once`;
    const left = readdirSync(run.path).filter((name) => /lock|\.tmp$/.test(name));
    if (left.length > 0) return `${run.id} has ${left.join(', ')}`;
  }
  return undefined;
}

function eventsOf(run: Run): RunEvent[] {
  const lines = readFileSync(run.eventsFile, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as RunEvent);
}

/** Steps whose metrics are recorded, in their order. */
export function metricSteps(events: readonly RunEvent[]): number[] {
  return events.flatMap((event) => (event.type === 'metrics' ? event.step : []));
}

async function runsOf(folder: string): Promise<Run[]> {
  return (await listRuns(folder)).runs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The file of the final weights without its header, which has the id of the run. */
export function weightsOf(run: Run): Buffer {
  const bytes = readFileSync(finalWeightsFile(run));
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
}

function sweepOf(folder: string): string | undefined {
  const sweeps = join(folder, '.deeptwist', 'sweeps');
  return existsSync(sweeps) ? readdirSync(sweeps).find((id) => existsSync(join(sweeps, id, 'sweep.json'))) : undefined;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** A random moment: not a time that a result is waited for. */
export function moment(milliseconds: number, ended: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      resolve();
    }, milliseconds);
  });
  return Promise.race([passed, ended]).finally(() => clearTimeout(timer));
}
