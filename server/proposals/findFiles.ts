/** @file The files of folders that may be models or data of a new experiment, by their names; the editor has its own search. */
import { basename, join } from 'node:path';
import { hasEnding, modelEndings, moduleEndings } from '../protocol/model/modelEndings.ts';
import {
  arrayEndings,
  EXCLUDED_FOLDERS,
  imageEndings,
  MODEL_JSON,
  MOST_FOUND,
  TABLE_ENDING,
  TEXT_ENDING,
} from '../protocol/wire/foundFiles.ts';
import type { FoundFiles } from '../protocol/wire/proposals.ts';
import { EXPERIMENT_ENDING } from '../runs/run.ts';
import { walkFolders } from '../runs/walkFolders.ts';

/** Levels of folders, and folders in all, that are looked into. */
const DEPTH = 8;
const MOST_FOLDERS = 10_000;

type Kind = Exclude<keyof FoundFiles, 'shown'> | 'experiments';

/** The first kind that a file is of. @param isBelow true in a folder of the root */
function kindOf(name: string, isBelow: boolean): Kind | undefined {
  if (hasEnding(name, [EXPERIMENT_ENDING])) return 'experiments';
  if (/^train-images.idx3-ubyte/.test(name)) return 'digits';
  if (hasEnding(name, moduleEndings)) return 'sources';
  if (name === MODEL_JSON || hasEnding(name, modelEndings.filter((ending) => ending !== '.json'))) return 'models'; // prettier-ignore
  if (hasEnding(name, arrayEndings)) return 'arrays';
  if (hasEnding(name, [TABLE_ENDING])) return 'tables';
  if (hasEnding(name, [TEXT_ENDING])) return 'texts';
  return isBelow && hasEnding(name, imageEndings) ? 'images' : undefined;
}

/**
 * @param roots absolute; one may lie in another
 * @param mayVisit tells whether a folder may be looked into; it may be reached through a link
 * @returns sorted paths, as far as they are within the limits, and the experiment files
 */
export async function findFiles(
  roots: readonly string[],
  mayVisit: (folder: string) => boolean,
): Promise<FoundFiles & { readonly experiments: readonly string[] }> {
  const found: Record<Kind, string[]> = {
    sources: [],
    models: [],
    digits: [],
    images: [],
    arrays: [],
    tables: [],
    texts: [],
    experiments: [],
  };
  const listed = new Set<string>();
  let left = MOST_FOLDERS;
  for (const root of roots)
    await walkFolders(
      root,
      (folder, { files }) => {
        const isBelow = folder !== root;
        if ((isBelow && EXCLUDED_FOLDERS.includes(basename(folder))) || left-- <= 0 || !mayVisit(folder)) return false;
        for (const file of files) {
          const kind = kindOf(file, isBelow);
          const path = join(folder, file);
          if (kind === undefined || listed.has(path)) continue;
          const most = kind === 'sources' || kind === 'images' ? MOST_FOUND[kind] : MOST_FOUND.others;
          if (found[kind].length >= most) continue;
          found[kind].push(path);
          listed.add(path);
        }
        return true;
      },
      DEPTH,
    );
  for (const paths of Object.values(found)) paths.sort();
  return found;
}
