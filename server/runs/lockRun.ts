/** @file One writer for a run folder: the file `lock` names the process that has it. */
import { UserError } from '../protocol/userError.ts';
import { explainDiskError } from './disk.ts';
import { identify } from './liveProcess.ts';
import {
  holderOf,
  holderText,
  ifGone,
  isElsewhere,
  removeAbandoned,
  takeFile,
  type HeldFile,
  type Refusal,
} from './lockFile.ts';
import type { Run, RunState } from './run.ts';
import type { ProcessIdentity, RunRecord } from './runRecord.ts';

/** How a run is left. */
export interface RunEnd {
  readonly state: RunState;
  /** What a finished run came to. */
  readonly result?: RunRecord['result'];
  /** What made a failed run fail. */
  readonly failure?: RunRecord['failure'];
  /** What a stopped run was stopped by where that was successive halving. */
  readonly stoppedEarly?: RunRecord['stoppedEarly'];
}

export interface RunLock {
  /**
   * Gives the folder free.
   * @param end that the run is left in; default: as it was before
   */
  release(end?: RunEnd): Promise<void>;
}

/**
 * Takes the folder for this process, reads `run.json` again and marks the run as running, or as queued. The lock of a process
 * that has died is taken over.
 * @param options.isGone true for a process of another machine that is known to have ended
 * @throws UserError when another process, or this one, is writing the run, or it is finished by now
 */
export async function lockRun(
  run: Run,
  { state = 'running', isGone }: { state?: 'running' | 'queued'; isGone?: (holder: ProcessIdentity) => boolean } = {},
): Promise<RunLock> {
  const file = await takeLock(run, isGone);
  let before: RunEnd;
  try {
    await removeAbandoned(run.lockFile);
    before = await mark(run, { state, process: identify(process.pid), stoppedEarly: undefined });
  } catch (error) {
    await file.release();
    throw error;
  }
  return {
    async release({ state, result, failure, stoppedEarly } = before) {
      try {
        await run.update({ state, result, failure, stoppedEarly, process: undefined });
      } catch (error) {
        // A run that fails because the disk is full: without its process, it is seen as interrupted.
        if (state !== 'failed') throw error;
      } finally {
        // Again: what a process had just begun to write when it was killed was too young before.
        await removeAbandoned(run.lockFile).catch(() => undefined);
        await file.release();
      }
    },
  };
}

async function takeLock(run: Run, isGone?: (holder: ProcessIdentity) => boolean): Promise<HeldFile> {
  const taken = await takeFile(run.lockFile, isGone).catch((error: unknown) => {
    throw explainDiskError(error, run.path, 0);
  });
  if ('release' in taken) return taken;
  throw inUse(run, taken);
}

/** Returns how the run was before. */
async function mark(run: Run, marks: Pick<RunRecord, 'state' | 'process' | 'stoppedEarly'>): Promise<RunEnd> {
  await run.reload();
  const { state, result, failure, stoppedEarly } = run.record;
  if (state === 'finished')
    throw new UserError(`The run ${run.id} is finished: another process has trained it to its end.`, {
      remedy: `See it with \`deeptwist show ${run.id}\`.`,
    });
  await run.update(marks);
  return { state, result, failure, stoppedEarly };
}

/** Leaves a run that no process has in another state, without training it. @throws UserError as {@link lockRun} does */
export async function leaveRun(run: Run, end: RunEnd): Promise<void> {
  const lock = await lockRun(run, { state: 'queued' });
  await lock.release(end);
}

/** The process that has the folder, if it lives. */
export async function lockHolder(run: Run): Promise<ProcessIdentity | undefined> {
  return holderOf(run.lockFile);
}

/**
 * Why a run can be neither controlled nor deleted that a process on another machine trains, or did before it died; undefined for any other run.
 * @param holder the process that has the run
 */
export function refusalElsewhere(run: Run, holder = run.record.process): UserError | undefined {
  if (!isElsewhere(holder)) return undefined;
  return new UserError(`The run ${run.id} is trained by ${holderText(holder)}, or was.`, {
    remedy: `Stop it there. ${ifGone(run.lockFile)}: the run can then be resumed or deleted.`,
  });
}

function inUse(run: Run, { holder, path }: Refusal): UserError {
  return new UserError(`The run ${run.path} is in use by ${holderText(holder)}.`, {
    remedy: isElsewhere(holder) ? `${ifGone(path)}.` : 'Wait until it is done, or stop it with Ctrl-C.',
  });
}
