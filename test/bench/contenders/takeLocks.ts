/** @file One of several processes that take the lock of a run; {@link LockTask}s come from lockRace.ts over Node's IPC. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { lockRun, type RunLock } from '../../../server/runs/lockRun.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { UserError } from '../../../server/protocol/userError.ts';

export type LockTask =
  /** Takes the lock at a time (milliseconds since 1970), and keeps it. */
  | { readonly task: 'take'; readonly folder: string; readonly at: number }
  | { readonly task: 'release' }
  /** Takes the lock again and again until it has held it so many times, and counts that in the run folder. */
  | { readonly task: 'churn'; readonly folder: string; readonly times: number };

export interface LockAnswer {
  /** How often it held the lock. */
  readonly held: number;
  /** What went wrong, besides being refused. */
  readonly faults: readonly string[];
}

const dead = () => ({ pid: 4_194_305, startTime: `never/${Math.random()}`, host: hostname() }); // Above Linux's largest.
let lock: RunLock | undefined;

async function attempt(run: Run, faults: string[]): Promise<RunLock | undefined> {
  try {
    return await lockRun(run, { state: 'queued' });
  } catch (error) {
    if (!(error instanceof UserError && error.message.includes('is in use by'))) faults.push(String(error));
    return undefined;
  }
}

/** What only one process at a time may do: a lost update shows in the count, a second holder in the file `holding`. */
function count(folder: string, faults: string[]): void {
  const holding = join(folder, 'holding');
  try {
    writeFileSync(holding, '', { flag: 'wx' });
  } catch {
    faults.push('two processes hold the run');
  }
  const file = join(folder, 'count');
  writeFileSync(file, String(Number(readFileSync(file, 'utf8')) + 1));
  rmSync(holding, { force: true });
}

async function churn(folder: string, times: number): Promise<LockAnswer> {
  const faults: string[] = [];
  let held = 0;
  while (held < times && faults.length === 0) {
    const run = await openRun(folder);
    const taken = await attempt(run, faults);
    if (!taken) continue;
    held++;
    count(folder, faults);
    // Every third holder leaves the lock as a process that was killed does.
    if (held % 3 === 0) writeFileSync(run.lockFile, JSON.stringify(dead()));
    else await taken.release();
  }
  return { held, faults };
}

async function perform(task: LockTask): Promise<LockAnswer> {
  const faults: string[] = [];
  switch (task.task) {
    case 'take': {
      const run = await openRun(task.folder);
      while (Date.now() < task.at); // All at the same moment.
      lock = await attempt(run, faults);
      if (lock) count(task.folder, faults);
      return { held: lock ? 1 : 0, faults };
    }
    case 'release':
      await lock?.release().catch((error: unknown) => faults.push(String(error)));
      lock = undefined;
      return { held: 0, faults };
    case 'churn':
      return churn(task.folder, task.times);
  }
}

process.on('message', (task: LockTask) => void perform(task).then((answer) => process.send!(answer)));
