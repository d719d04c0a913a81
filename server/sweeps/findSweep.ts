/** @file Finding the sweep that a user means. */
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { listRunIds } from '../runs/findRun.ts';
import { walkFolders } from '../runs/walkFolders.ts';
import { isSweepFolder, openSweep, type Sweep } from './sweepFolder.ts';

/** Levels of folders below the given one in which `.deeptwist/` is looked for, as for runs. */
const DEPTH = 4;

/**
 * The sweep that `reference` names: the path of its folder, its id or the beginning of it, or `last` for the newest one in `directory` and
 * below; undefined where there is none.
 * @throws UserError where it can be several, or is damaged
 */
export async function findSweep(reference: string, directory: string): Promise<Sweep | undefined> {
  const path = resolve(directory, reference);
  if (isSweepFolder(path)) return openSweep(path);
  const all = await listSweeps(resolve(directory));
  const ids = all.map(({ id }) => id);
  if (reference === 'last') {
    const newest = all.toSorted((a, b) => (a.id < b.id ? -1 : 1)).at(-1);
    return newest && openSweep(newest.path);
  }
  const exact = all.filter(({ id }) => id === reference);
  const found = exact.length > 0 ? exact : all.filter(({ id }) => id.startsWith(reference));
  if (found.length <= 1) return found.length === 0 ? undefined : openSweep(found[0].path);
  throw new UserError(`'${reference}' can be any of ${ids.length} sweeps: ${found.map(({ id }) => id).join(', ')}.`, {
    remedy: 'Give more of its id, or the path of its folder.',
    exitCode: ExitCode.usage,
  });
}

async function listSweeps(root: string): Promise<{ id: string; path: string }[]> {
  const found: { id: string; path: string }[] = [];
  const listed = new Set<string>();
  await walkFolders(
    root,
    async (folder, { folders }) => {
      if (!folders.includes('.deeptwist')) return true;
      const sweeps = join(folder, '.deeptwist', 'sweeps');
      const place = await realpath(sweeps).catch(() => undefined);
      if (place === undefined || listed.has(place)) return true;
      listed.add(place);
      for (const id of await listRunIds(sweeps))
        if (isSweepFolder(join(sweeps, id))) found.push({ id, path: join(sweeps, id) });
      return true;
    },
    DEPTH,
  );
  return found;
}
