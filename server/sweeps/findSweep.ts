/** @file Finding the sweep that a user means. */
import { basename } from 'node:path';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { foldersBelow, pathsIn, withId, type Directories } from '../runs/findRun.ts';
import { isSweepFolder, openSweep, SWEEP_FILES, type Sweep } from './sweepFolder.ts';

/**
 * The sweep that `reference` names: the path of its folder, its id or the beginning of it, or `last` for the newest one; undefined where
 * there is none. Sweeps are looked for in `.deeptwist/sweeps/` as runs are.
 * @throws UserError where it can be several, or is damaged
 */
export async function findSweep(reference: string, directories: Directories): Promise<Sweep | undefined> {
  const path = pathsIn(reference, directories).find(isSweepFolder);
  if (path !== undefined) return openSweep(path);
  const sweeps = await foldersBelow(directories, 'sweeps', SWEEP_FILES);
  if (reference === 'last') {
    const newest = sweeps.toSorted((a, b) => (basename(a) < basename(b) ? -1 : 1)).at(-1);
    return newest === undefined ? undefined : openSweep(newest);
  }
  const found = withId(reference, sweeps, (folder) => basename(folder));
  if (found.length <= 1) return found.length === 0 ? undefined : openSweep(found[0]);
  const ids = new Set(found.map((folder) => basename(folder)));
  throw new UserError(
    `'${reference}' can be any of ${found.length} sweeps: ${(ids.size === found.length ? [...ids] : found).join(', ')}.`,
    {
      remedy: 'Give more of its id, or the path of its folder.',
      exitCode: ExitCode.usage,
    },
  );
}
