/** @file Stopping a run's process from outside, and ending one that does not answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../protocol/userError.ts';
import { isAlive } from '../runs/liveProcess.ts';
import { refusalElsewhere } from '../runs/lockRun.ts';
import type { Run } from '../runs/run.ts';
import { findRunProcess } from '../runs/tickets.ts';

/**
 * Asks the process that trains a run to stop after its step, with a checkpoint.
 * @param started pid of the process that was started for the run, which may not have taken it yet
 * @returns false where nobody is known who could be asked
 */
export async function askToStop(run: Run, started?: number): Promise<boolean> {
  const found = findRunProcess(run);
  if (found) {
    try {
      const { connectToSidecar } = await import('./sidecarConnection.ts');
      const connection = await connectToSidecar(found, { client: 'sweep' });
      try {
        await connection.request('stop', { when: 'after-step' });
      } finally {
        connection.dispose();
      }
      return true;
    } catch {
      // It does not answer yet, or any more.
    }
  }
  const pid = found?.process.pid ?? started;
  if (pid === undefined) return false;
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
  return true;
}

const POLL_MS = 20;
const DEATH_MS = 5000;

/**
 * Ends the process that trains a run without asking it: for one that does not answer a stop within 2 seconds, because a user's
 * module never gives control back. The run is then seen as interrupted, and goes on from its last checkpoint. A process is ended
 * only where its own ticket says that it trains this run: `run.json` alone could name any.
 * @throws UserError when the process is on another machine, was not started by an editor of this user, or lives on
 */
export async function killRun(run: Run): Promise<void> {
  await run.reload();
  const { process: named } = run.record;
  if (!named) return;
  const elsewhere = refusalElsewhere(run);
  if (elsewhere) throw elsewhere;
  const alive = isAlive(named);
  const found = findRunProcess(run);
  if (!found) {
    if (!alive) return;
    throw new UserError(
      `Process ${named.pid} is not known to train the run ${run.id}: no editor of yours started it.`,
      {
        remedy: 'Stop the run where it was started; in a terminal, with Ctrl-C.',
      },
    );
  }
  if (alive) process.kill(named.pid, 'SIGKILL');
  for (const end = Date.now() + DEATH_MS; isAlive(named) === true; await sleep(POLL_MS)) {
    if (Date.now() > end) throw new UserError(`Process ${named.pid} of the run ${run.id} cannot be ended.`);
  }
  found.removeTicket(); // A killed process leaves it, and its socket.
}
