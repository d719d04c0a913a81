/**
 * @file Trains the runs of a sweep in processes of their own, some at a time, in the machine's queue of runs. Nothing is kept here that a kill
 * could lose: what is left to do is told by the run folders, and a run that is under way when this process dies goes on by itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../protocol/userError.ts';
import { listCheckpoints } from '../runs/checkpoints.ts';
import type { Refusal } from '../runs/lockFile.ts';
import { FILES_AT_ONCE, mapAtOnce } from '../runs/mapAtOnce.ts';
import type { ObservedState, Run } from '../runs/run.ts';
import { askToStop } from '../sidecarClient/endRun.ts';
import { startSidecar, type StartedSidecar } from '../sidecarClient/startSidecar.ts';
import type { PlannedRun, Sweep } from './sweepFolder.ts';

/** How often run folders are looked at. */
const POLL_MS = 300;
/** Starts of a run without a new checkpoint after which it is given up for this time. */
const MOST_STARTS = 3;

/** How a line of the plan stands: as its run, or it has not been begun. */
export type LineState = ObservedState | 'not begun';

export interface LineOutcome {
  readonly planned: PlannedRun;
  readonly state: LineState;
  /** Absent where it has not been begun. */
  readonly run?: Run;
  /** What kept the run from being made or started, or ended its process. */
  readonly problem?: UserError;
}

export interface QueueOptions {
  /** Runs at a time. */
  readonly parallel: number;
  /** True where runs that have failed are gone on with. */
  readonly retryFailed: boolean;
  /** The built `sidecar.js`. */
  readonly sidecarScript: string;
  /** When it aborts, no more runs are started, and those that train stop after their step, with a checkpoint. */
  readonly signal: AbortSignal;
  /** Told of each process that is started, and of each run that trains already. */
  readonly onStart?: (planned: PlannedRun, run: Run, how: 'started' | 'resumed' | 'followed') => void;
  /** Told of each line when nothing is left to do for it. */
  readonly onEnd?: (outcome: LineOutcome) => void;
  /** Told of each line that another process sees to. */
  readonly onClaimed?: (planned: PlannedRun, by: Refusal) => void;
}

/**
 * Trains what is left to do of a sweep.
 * @returns how each line stands, in the order of the plan
 */
export async function trainSweep(sweep: Sweep, options: QueueOptions): Promise<LineOutcome[]> {
  const { parallel, signal, onEnd, onClaimed } = options;
  const outcomes = new Map<number, LineOutcome>();
  let left = [...sweep.plan];
  for (let round = 0; left.length > 0; round++) {
    if (round > 0) await sleep(POLL_MS);
    const claimed: PlannedRun[] = [];
    await mapAtOnce(left, parallel, async (planned) => {
      const outcome = await seeTo(sweep, planned, options);
      if ('by' in outcome) {
        claimed.push(planned);
        if (round === 0) onClaimed?.(planned, outcome.by);
        return;
      }
      outcomes.set(planned.line, outcome);
      onEnd?.(outcome);
    });
    if (signal.aborted) break;
    left = claimed;
  }
  return sweep.plan.map((planned) => outcomes.get(planned.line) ?? { planned, state: 'not begun' });
}

/** {@link lookAt} of each line. */
export async function readSweep(sweep: Sweep): Promise<LineOutcome[]> {
  return mapAtOnce(sweep.plan, FILES_AT_ONCE, (planned) => lookAt(sweep, planned));
}

/** How a line stands, without doing anything. */
export async function lookAt(sweep: Sweep, planned: PlannedRun): Promise<LineOutcome> {
  try {
    const run = await sweep.openRun(planned);
    return run ? { planned, run, state: run.observedState() } : { planned, state: 'not begun' };
  } catch (error) {
    return { planned, state: 'failed', problem: asUserError(error) };
  }
}

/** Trains the run of a line to its end; `by`: another process has the line. */
async function seeTo(
  sweep: Sweep,
  planned: PlannedRun,
  options: QueueOptions,
): Promise<LineOutcome | { readonly by: Refusal }> {
  const before = await lookAt(sweep, planned);
  if (before.state === 'finished' || options.signal.aborted) return before;
  const claim = await sweep.claim(planned);
  if (!('release' in claim)) return { by: claim };
  try {
    return await train(sweep, planned, options);
  } catch (error) {
    return { ...(await lookAt(sweep, planned)), problem: asUserError(error) };
  } finally {
    await claim.release();
  }
}

async function train(sweep: Sweep, planned: PlannedRun, options: QueueOptions): Promise<LineOutcome> {
  const { retryFailed, signal, onStart } = options;
  const found = await sweep.openRun(planned);
  const run = found ?? (await sweep.makeRun(planned));
  let process: Awaited<ReturnType<typeof startProcess>> | undefined;
  let [starts, checkpoint] = [0, await newestCheckpoint(run)];
  let isFollowed = false;
  let isAsked = false;
  for (;;) {
    await run.reload();
    const state = run.observedState();
    if (state === 'finished') return { planned, run, state };
    const isTaken = run.record.process !== undefined && state !== 'interrupted';
    if (isTaken || process?.isOver === false) {
      if (!process && !isFollowed) {
        isFollowed = true;
        onStart?.(planned, run, 'followed');
      }
      if (signal.aborted && !isAsked) {
        isAsked = true;
        // One that a terminal trains is its own.
        if (!(await askToStop(run, process?.sidecar.pid))) return { planned, run, state };
      }
      await sleep(POLL_MS);
      continue;
    }
    // A process may have been started for it by one that was killed: it has its time to take the run.
    if (found && starts === 0 && state === 'queued') {
      await sleep(POLL_MS);
      continue;
    }
    if (signal.aborted) return { planned, run, state };
    if (state === 'failed' && !(retryFailed && starts === 0)) return { planned, run, state };
    // Somebody has stopped it: whoever goes on with the sweep goes on with the run.
    if (state === 'stopped' && (starts > 0 || isFollowed)) return { planned, run, state };
    const newest = await newestCheckpoint(run);
    if (newest !== checkpoint) [starts, checkpoint] = [0, newest];
    if (starts === MOST_STARTS) return { planned, run, state, problem: await goneProblem(run, process?.sidecar) };
    // It may have ended in order between the look at its record and the one at its process.
    await run.reload();
    if (run.observedState() !== state) continue;
    const resume = found !== undefined || process !== undefined;
    starts++;
    process = await startProcess(run, resume, options);
    onStart?.(planned, run, resume ? 'resumed' : 'started');
  }
}

async function startProcess(run: Run, resume: boolean, { sidecarScript, parallel }: QueueOptions) {
  const sidecar = await startSidecar({ run, node: process.execPath, sidecarScript, resume, parallel });
  const started = { sidecar, isOver: false };
  void sidecar.exited.then(() => (started.isOver = true));
  return started;
}

async function newestCheckpoint(run: Run): Promise<string | undefined> {
  const checkpoints = await listCheckpoints(run).catch(() => []);
  return checkpoints.length === 0 ? undefined : JSON.stringify(checkpoints);
}

async function goneProblem(run: Run, sidecar: StartedSidecar | undefined): Promise<UserError> {
  const exit = await sidecar?.exited;
  const how = exit?.signal ?? `code ${exit?.code}`;
  return new UserError(
    `The process of the run ${run.id} has ended ${MOST_STARTS} times (${how}) without a checkpoint.`,
    {
      remedy: `See ${run.logFile}. Where memory is short, fewer runs at a time may help.`,
    },
  );
}

function asUserError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  throw error;
}
