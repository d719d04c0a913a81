/** @file Finding runs: those below some folders, and the one that a user means. */
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { didYouMean } from '../protocol/experiment/didYouMean.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { FILES_AT_ONCE, mapAtOnce } from './mapAtOnce.ts';
import { EXPERIMENT_FILE, RUN_FILE, openRun } from './run.ts';
import type { Run } from './run.ts';
import { readFolder, walkFolders } from './walkFolders.ts';

/** Levels of folders below the given one in which `.deeptwist/` is looked for. */
const DEPTH = 4;
/** Where something is looked for: in one directory, or in several as if they were one. */
export type Directories = string | readonly string[];

/** Files of a run folder that is there: the other ones come later. */
const RUN_FILES = [RUN_FILE, EXPERIMENT_FILE];

export interface RunList {
  /** Oldest first. */
  runs: Run[];
  /** Run folders that cannot be opened: damaged, or of a newer version. */
  unreadable: { path: string; error: UserError }[];
}

/**
 * The runs in a directory and in the `.deeptwist/runs/` of the folders below it, a few levels down; of several directories, each run once.
 * @param open how a run folder is opened
 */
export async function listRuns(directories: Directories, open = openRun): Promise<RunList> {
  const runs: Run[] = [];
  const unreadable: RunList['unreadable'] = [];
  const folders = await foldersBelow(directories, 'runs', RUN_FILES);
  const opened = await mapAtOnce(folders, FILES_AT_ONCE, async (path) => {
    try {
      return await open(path);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { path, error };
    }
  });
  for (const run of opened) {
    if ('error' in run) unreadable.push(run);
    else runs.push(run);
  }
  return { runs: oldestFirst(runs), unreadable };
}

function oldestFirst(runs: readonly Run[]): Run[] {
  return runs.toSorted((a, b) => a.record.created.localeCompare(b.record.created) || a.id.localeCompare(b.id));
}

/**
 * Names of the folders in `folder`, oldest first; among them may be one that is no run, or not yet. Nothing but the folder is
 * read: thousands of runs are listed in milliseconds, and {@link openRun} tells of those that are looked at.
 */
export async function listRunIds(folder: string): Promise<string[]> {
  return (await readFolder(folder)).folders.filter((name) => !name.startsWith('.')).sort();
}

/**
 * The finished runs in a folder, the newest first; what cannot be opened is passed over.
 * @param most folders that are looked at
 */
export async function* newestFinished(folder: string, most: number): AsyncGenerator<Run> {
  for (const id of (await listRunIds(folder)).slice(-most).reverse()) {
    const run = await openRun(join(folder, id)).catch(() => undefined);
    if (run?.record.state === 'finished') yield run;
  }
}

/**
 * The run that `reference` names: the path of its folder (or of a folder with one run in it), its id or the beginning of
 * it, the name of an experiment for its newest run, finished ones first, or `last` for the newest of all; runs are looked
 * for as {@link listRuns} does.
 * @throws UserError when there is none, or more than one
 */
export async function findRun(reference: string, directories: Directories): Promise<Run> {
  const paths = pathsIn(reference, directories);
  const folder = paths.find((path) => hasFiles(path, RUN_FILES));
  if (folder !== undefined) return openRun(folder);

  const { runs, unreadable } = await listRuns(directories);
  const searched = pathsIn('.', directories).join(', ');
  if (reference === 'last') {
    if (runs.length > 0) return runs[runs.length - 1];
    throw notFound(`There is no run in ${searched}.`);
  }
  const candidates = runsNamed(reference, runs);
  if (candidates.length === 1) return candidates[0];
  if (candidates.length > 1) throw ambiguous(reference, candidates);
  const damaged = unreadable.find((entry) => entry.path.endsWith(reference));
  if (damaged) throw damaged.error;

  const { runs: inside } = await listRuns(paths.filter((path) => existsSync(path)));
  if (inside.length === 1) return inside[0];
  if (inside.length > 1) throw ambiguous(reference, inside);
  const meant = didYouMean(
    reference,
    runs.map((run) => run.id),
  );
  throw notFound(
    `There is no run '${reference}' in ${searched}.${meant === undefined ? '' : ` Did you mean '${meant}'?`}`,
  );
}

/** What a path is, as seen from each directory. */
export function pathsIn(path: string, directories: Directories): string[] {
  return [directories].flat().map((directory) => resolve(directory, path));
}

/**
 * The runs that `reference` can be: the newest of the experiment with that name, finished ones first, else those with the
 * id or with an id that begins so.
 * @param runs oldest first
 */
export function runsNamed<R extends Pick<Run, 'record'>>(reference: string, runs: readonly R[]): R[] {
  const named = runs.filter(({ record }) => record.name === reference);
  const newest = named.findLast(({ record }) => record.state === 'finished') ?? named.at(-1);
  if (newest !== undefined) return [newest];
  return withId(reference, runs, ({ record }) => record.id);
}

/** The items with an id, or else those with an id that begins so. */
export function withId<T>(reference: string, items: readonly T[], idOf: (item: T) => string): T[] {
  const exact = items.filter((item) => idOf(item) === reference);
  return exact.length > 0 ? exact : items.filter((item) => idOf(item).startsWith(reference));
}

function notFound(message: string): UserError {
  return new UserError(message, {
    remedy: 'Give the path of its folder; `deeptwist runs DIR` lists the runs in a folder.',
    exitCode: ExitCode.usage,
  });
}

function ambiguous(reference: string, runs: readonly Run[]): UserError {
  const list = runs.map((run) => `  ${run.id}  ${run.path}`).join('\n');
  return new UserError(`'${reference}' can be any of ${runs.length} runs:\n${list}`, {
    remedy: 'Give more of its id, or the path of its folder.',
    exitCode: ExitCode.usage,
  });
}

/**
 * Paths of the folders with some files, in `.deeptwist/KIND/` of the roots and of the folders below them, a few levels down, and below the
 * roots themselves; each once, also where a root lies in another one.
 * @param names of the files that each of them has
 */
export async function foldersBelow(
  roots: Directories,
  kind: 'runs' | 'sweeps',
  names: readonly string[],
): Promise<string[]> {
  const found = new Set<string>();
  /** Links of several folders may lead to the same ones. */
  const listed = new Set<string>();
  for (const root of pathsIn('.', roots))
    await walkFolders(
      root,
      async (folder, { folders, files }) => {
        if (names.every((name) => files.includes(name))) {
          found.add(folder);
          return false;
        }
        if (!folders.includes('.deeptwist')) return true;
        const kept = join(folder, '.deeptwist', kind);
        const place = await realpath(kept).catch(() => undefined);
        if (place === undefined || listed.has(place)) return true;
        listed.add(place);
        for (const id of await listRunIds(kept)) if (hasFiles(join(kept, id), names)) found.add(join(kept, id));
        return true;
      },
      DEPTH,
    );
  return [...found];
}

function hasFiles(folder: string, names: readonly string[]): boolean {
  return names.every((name) => existsSync(join(folder, name)));
}
