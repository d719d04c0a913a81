/** @file Folders in folders, through links as well: a project's data and runs often lie on another disk. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

const SKIPPED = new Set(['node_modules']);

/** What is in a folder; a link counts as what it leads to. */
export interface FolderContent {
  /** Names of the folders. */
  readonly folders: readonly string[];
  /** Names of everything else. */
  readonly files: readonly string[];
}

/** What is in a folder; nothing where it cannot be read. */
export async function readFolder(folder: string): Promise<FolderContent> {
  const { own, linked, files } = await sortEntries(folder);
  return { folders: [...own, ...linked], files };
}

/**
 * Visits a folder and those below it but hidden ones and `node_modules`. A folder to which several ways lead is visited once,
 * where it lies rather than through a link; so links in a circle come to an end.
 * @param visit called with each folder; false: nothing below it is visited
 * @param depth levels below `root`
 */
export async function walkFolders(
  root: string,
  visit: (path: string, content: FolderContent) => boolean | Promise<boolean>,
  depth = Infinity,
): Promise<void> {
  const visited = new Set<string>();
  const ahead = [{ path: root, depth }];
  const linksAhead: typeof ahead = [];
  for (let next = ahead.pop(); next; next = ahead.pop() ?? linksAhead.shift()) {
    const { path, depth: left } = next;
    const place = await realpath(path).catch(() => undefined);
    if (place === undefined || visited.has(place)) continue;
    visited.add(place);
    const { own, linked, files } = await sortEntries(path);
    if (!(await visit(path, { folders: [...own, ...linked], files })) || left === 0) continue;
    const below = (names: readonly string[]) =>
      names
        .filter((name) => !name.startsWith('.') && !SKIPPED.has(name))
        .map((name) => ({ path: join(path, name), depth: left - 1 }));
    ahead.push(...below(own).reverse());
    linksAhead.push(...below(linked));
  }
}

async function sortEntries(folder: string): Promise<{ own: string[]; linked: string[]; files: string[] }> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const links = entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name);
  const toFolder = await Promise.all(links.map((name) => leadsToFolder(join(folder, name))));
  const linked = links.filter((_, i) => toFolder[i]);
  const own = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const folders = new Set([...own, ...linked]);
  return { own, linked, files: entries.map(({ name }) => name).filter((name) => !folders.has(name)) };
}

function leadsToFolder(link: string): Promise<boolean> {
  return stat(link).then(
    (target) => target.isDirectory(),
    () => false, // It leads nowhere.
  );
}
