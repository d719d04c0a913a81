/**
 * @file Trains the runs of a sweep in processes of their own, some at a time, in the machine's queue of runs. Nothing is kept here that a kill
 * could lose: what is left to do is told by the run folders, and a run that is under way when this process dies goes on by itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../protocol/userError.ts';
import { listCheckpoints } from '../runs/checkpoints.ts';
import { isAlive } from '../runs/liveProcess.ts';
import type { Refusal } from '../runs/lockFile.ts';
import { lockHolder } from '../runs/lockRun.ts';
import { FILES_AT_ONCE, mapAtOnce } from '../runs/mapAtOnce.ts';
import type { ObservedState, Run } from '../runs/run.ts';
import { askToStop } from '../sidecarClient/endRun.ts';
import { startSidecar, type StartedSidecar } from '../sidecarClient/startSidecar.ts';
import { valueAt } from './rungs.ts';
import type { PlannedRun, Sweep } from './sweepFolder.ts';

/** How often run folders are looked at. */
const POLL_MS = 300;
/** Starts of a run without a new checkpoint after which it is given up for this time. */
const MOST_STARTS = 3;

/** How a line of the plan stands: as its run, which successive halving may have stopped, or it has not been begun. */
export type LineState = ObservedState | 'stopped early' | 'not begun';

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
  /** Step at whose evaluation, or the first one after it, runs stop with a checkpoint; default: none. */
  readonly pauseAt?: number | undefined;
  /** Told of each process that is started, and of each run that trains already. */
  readonly onStart?: (planned: PlannedRun, run: Run, how: 'started' | 'resumed' | 'followed') => void;
  /** Told of each line when nothing is left to do for it. */
  readonly onEnd?: (outcome: LineOutcome) => void;
  /** Told of each line that another process sees to. */
  readonly onClaimed?: (planned: PlannedRun, by: Refusal) => void;
}

/**
 * Trains what is left to do of some lines of a sweep.
 * @returns how each of them stands, in their order
 */
export async function trainLines(
  sweep: Sweep,
  lines: readonly PlannedRun[],
  options: QueueOptions,
): Promise<LineOutcome[]> {
  const { parallel, signal, onEnd, onClaimed } = options;
  const outcomes = new Map<number, LineOutcome>();
  let left = [...lines];
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
  return lines.map((planned) => outcomes.get(planned.line) ?? { planned, state: 'not begun' });
}

/** {@link lookAt} of each line. */
export async function readSweep(sweep: Sweep): Promise<LineOutcome[]> {
  return mapAtOnce(sweep.plan, FILES_AT_ONCE, (planned) => lookAt(sweep, planned));
}

/** How a line stands, without doing anything. */
export async function lookAt(sweep: Sweep, planned: PlannedRun): Promise<LineOutcome> {
  try {
    const run = await sweep.openRun(planned);
    return run ? { planned, run, state: stateOf(run) } : { planned, state: 'not begun' };
  } catch (error) {
    return { planned, state: 'failed', problem: asUserError(error) };
  }
}

function stateOf(run: Run): LineState {
  const state = run.observedState();
  return state === 'stopped' && run.record.stoppedEarly ? 'stopped early' : state;
}

/** Trains the run of a line to its end; `by`: another process has the line. */
async function seeTo(
  sweep: Sweep,
  planned: PlannedRun,
  options: QueueOptions,
): Promise<LineOutcome | { readonly by: Refusal }> {
  const before = await lookAt(sweep, planned);
  if (before.state === 'finished' || before.state === 'stopped early' || options.signal.aborted) return before;
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
  const { retryFailed, signal, pauseAt, onStart } = options;
  const found = await sweep.openRun(planned);
  const run = found ?? (await sweep.makeRun(planned));
  let process: Awaited<ReturnType<typeof startProcess>> | undefined;
  let [starts, checkpoint] = [0, await newestCheckpoint(run)];
  let isFollowed = false;
  let isAsked = false;
  for (;;) {
    await run.reload();
    const state = stateOf(run);
    if (state === 'finished' || state === 'stopped early') return { planned, run, state };
    const isTaken = state !== 'interrupted' && (await isHeld(run));
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
    if (found && starts === 0 && state === 'queued' && !run.record.queue) {
      await sleep(POLL_MS);
      continue;
    }
    if (signal.aborted) return { planned, run, state };
    if (pauseAt !== undefined && state !== 'failed' && (await valueAt(run, pauseAt))) return { planned, run, state };
    if (state === 'failed' && !(retryFailed && starts === 0)) return { planned, run, state };
    // Somebody has stopped it: whoever goes on with the sweep goes on with the run.
    if (state === 'stopped' && (starts > 0 || isFollowed)) return { planned, run, state };
    const newest = await newestCheckpoint(run);
    if (newest !== checkpoint) [starts, checkpoint] = [0, newest];
    if (starts === MOST_STARTS) return { planned, run, state, problem: await goneProblem(run, process?.sidecar) };
    // It may have ended in order between the look at its record and the one at its process.
    await run.reload();
    if (stateOf(run) !== state) continue;
    const resume = found !== undefined || process !== undefined;
    starts++;
    process = await startProcess(run, resume, options);
    onStart?.(planned, run, resume ? 'resumed' : 'started');
  }
}

/** True while a process has the run. Of another machine's that is gone, the record stays; the lock is removed by hand. */
async function isHeld(run: Run): Promise<boolean> {
  const { process: holder } = run.record;
  if (!holder) return false;
  return isAlive(holder) === true || (await lockHolder(run)) !== undefined;
}

async function startProcess(run: Run, resume: boolean, { sidecarScript, parallel, pauseAt }: QueueOptions) {
  const sidecar = await startSidecar({ run, node: process.execPath, sidecarScript, resume, parallel, pauseAt });
  const started = { sidecar, isOver: false };
  void sidecar.exited.then(() => (started.isOver = true));
  return started;
}

/** Tells one newest checkpoint of a run from another; undefined where it has none. */
export async function newestCheckpoint(run: Run): Promise<string | undefined> {
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
