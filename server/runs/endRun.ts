/** @file Ending a run's process from outside, and deleting a run. */
import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../protocol/userError.ts';
import { isAlive } from './liveProcess.ts';
import { lockHolder } from './lockRun.ts';
import type { Run } from './run.ts';

const POLL_MS = 20;
const DEATH_MS = 5000;

/**
 * Ends the process that trains a run without asking it: for one that does not answer a stop within 2 seconds, because a user's
 * module never gives control back. The run is then seen as interrupted, and goes on from its last checkpoint.
 * @throws UserError when the process is on another machine, or lives on
 */
export async function killRun(run: Run): Promise<void> {
  await run.reload();
  const { process: trainer, endpoint } = run.record;
  if (!trainer) return;
  const alive = isAlive(trainer);
  if (alive === 'unknown') {
    throw new UserError(`The run ${run.id} is trained on another machine, ${trainer.host}.`, {
      remedy: `End process ${trainer.pid} there.`,
    });
  }
  if (alive) process.kill(trainer.pid, 'SIGKILL');
  for (const end = Date.now() + DEATH_MS; isAlive(trainer) === true; await sleep(POLL_MS)) {
    if (Date.now() > end) throw new UserError(`Process ${trainer.pid} of the run ${run.id} cannot be ended.`);
  }
  // A killed process leaves its socket; a named pipe goes with it.
  if (endpoint !== undefined && process.platform !== 'win32') await rm(endpoint, { force: true });
}

/**
 * Deletes a run folder. It is moved out of sight first: nobody sees half a run.
 * @throws UserError while a process writes the run
 */
export async function deleteRun(run: Run): Promise<void> {
  const writer = await lockHolder(run);
  if (writer) {
    throw new UserError(`The run ${run.id} is being trained by process ${writer.pid} on ${writer.host}.`, {
      remedy: 'Stop it first.',
    });
  }
  const aside = join(dirname(run.path), `.deleted-${randomBytes(6).toString('hex')}`);
  await rename(run.path, aside);
  await rm(aside, { recursive: true, force: true, maxRetries: 3 });
}
