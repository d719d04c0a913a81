/** @file Deleting a run. */
import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../protocol/userError.ts';
import { lockHolder, refusalElsewhere } from './lockRun.ts';
import type { Run } from './run.ts';

/**
 * Deletes a run folder.
 * @param remove moves the folder elsewhere, to the trash for example. Default: it is deleted for good, and moved out of sight first: nobody
 *   sees half a run
 * @throws UserError while a process writes the run
 */
export async function deleteRun(run: Run, remove: (folder: string) => Promise<void> = removeForGood): Promise<void> {
  const writer = await lockHolder(run);
  if (writer) {
    throw (
      refusalElsewhere(run, writer) ??
      new UserError(`The run ${run.id} is being trained by process ${writer.pid} on ${writer.host}.`, {
        remedy: 'Stop it first.',
      })
    );
  }
  await remove(run.path);
}

async function removeForGood(folder: string): Promise<void> {
  const aside = join(dirname(folder), `.deleted-${randomBytes(6).toString('hex')}`);
  await rename(folder, aside);
  await rm(aside, { recursive: true, force: true, maxRetries: 3 });
}
