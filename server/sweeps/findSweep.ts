/** @file Finding the sweep that a user means. */
import { basename, resolve } from 'node:path';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { foldersBelow, withId } from '../runs/findRun.ts';
import { isSweepFolder, openSweep, SWEEP_FILES, type Sweep } from './sweepFolder.ts';

/**
 * The sweep that `reference` names: the path of its folder, its id or the beginning of it, or `last` for the newest one in `directory` and
 * below; undefined where there is none.
 * @throws UserError where it can be several, or is damaged
 */
export async function findSweep(reference: string, directory: string): Promise<Sweep | undefined> {
  const path = resolve(directory, reference);
  if (isSweepFolder(path)) return openSweep(path);
  const sweeps = await foldersBelow(resolve(directory), 'sweeps', SWEEP_FILES);
  if (reference === 'last') {
    const newest = sweeps.toSorted((a, b) => (basename(a) < basename(b) ? -1 : 1)).at(-1);
    return newest === undefined ? undefined : openSweep(newest);
  }
  const found = withId(reference, sweeps, (folder) => basename(folder));
  if (found.length <= 1) return found.length === 0 ? undefined : openSweep(found[0]);
  throw new UserError(
    `'${reference}' can be any of ${found.length} sweeps: ${found.map((folder) => basename(folder)).join(', ')}.`,
    {
      remedy: 'Give more of its id, or the path of its folder.',
      exitCode: ExitCode.usage,
    },
  );
}
