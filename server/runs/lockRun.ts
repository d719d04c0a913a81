/** @file One writer for a run folder: the file `lock` names the process that has it. */
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { UserError } from '../protocol/userError.ts';
import { identify, isAlive } from './liveProcess.ts';
import type { Run, RunState } from './run.ts';
import { processIdentitySchema, type ProcessIdentity, type RunRecord } from './runRecord.ts';

/** A lock without content may be one that is being written; after this many milliseconds its writer died writing it. */
const WRITING_MS = 2000;

/** How a run is left. */
export interface RunEnd {
  readonly state: RunState;
  /** Of a finished run. */
  readonly result?: RunRecord['result'];
  /** Of a failed run. */
  readonly failure?: RunRecord['failure'];
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
 * @throws UserError when another process, or this one, is writing the run
 */
export async function lockRun(
  run: Run,
  { state = 'running' }: { state?: 'running' | 'queued' } = {},
): Promise<RunLock> {
  const own = identify(process.pid);
  const content = JSON.stringify(own);
  if (!(await tryCreate(run.lockFile, content))) {
    await removeStaleLock(run);
    if (!(await tryCreate(run.lockFile, content))) throw inUse(run, await holderOf(run.lockFile));
  }
  const before = await mark(run, { state, process: own }).catch(async (error: unknown) => {
    await rm(run.lockFile, { force: true });
    throw error;
  });
  return {
    async release({ state, result, failure } = before) {
      try {
        await run.update({ state, result, failure, process: undefined });
      } catch (error) {
        // A run that fails because the disk is full: without its process, it is seen as interrupted.
        if (state !== 'failed') throw error;
      } finally {
        await rm(run.lockFile, { force: true });
      }
    },
  };
}

/** Returns how the run was before. */
async function mark(run: Run, marks: Pick<RunRecord, 'state' | 'process'>): Promise<RunEnd> {
  await run.reload();
  const { state, result, failure } = run.record;
  await run.update(marks);
  return { state, result, failure };
}

/** The process that has the folder, if it lives. */
export async function lockHolder(run: Run): Promise<ProcessIdentity | undefined> {
  const holder = await holderOf(run.lockFile);
  return holder && isAlive(holder) !== false ? holder : undefined;
}

async function tryCreate(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes the lock of a dead process. Two processes may both find it dead: each moves the lock aside before it looks again
 * at whose it was, and puts it back where it turns out to be the other's new one.
 */
async function removeStaleLock(run: Run): Promise<void> {
  const holder = await holderOf(run.lockFile);
  if (holder ? isAlive(holder) !== false : await isYoung(run.lockFile)) throw inUse(run, holder);
  const aside = `${run.lockFile}.${process.pid}`;
  try {
    await rename(run.lockFile, aside);
  } catch {
    return; // The other one was faster; who holds the folder now shows when this process tries to create its lock.
  }
  const moved = await holderOf(aside);
  if (moved && isAlive(moved) !== false) await link(aside, run.lockFile).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Who wrote the lock; undefined when it is gone or not (wholly) written. */
async function holderOf(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return processIdentitySchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

async function isYoung(path: string): Promise<boolean> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs < WRITING_MS,
    () => false,
  );
}

function inUse(run: Run, holder: ProcessIdentity | undefined): UserError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
  const elsewhere = holder && isAlive(holder) === 'unknown';
  return new UserError(`The run ${run.path} is in use by ${who}.`, {
    remedy: elsewhere
      ? `If that machine no longer runs it, delete ${run.lockFile}.`
      : 'Wait until it is done, or stop it with Ctrl-C.',
  });
}
