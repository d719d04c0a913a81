/**
 * @file Watches the folder of an experiment's runs, whether it is there yet or not. VS Code's own watcher looks after whole
 * trees, and can miss what is made in a folder the moment after the folder itself was made: the first run of a workspace.
 */
import { existsSync, watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';

/** Changes within this time are told together. */
const SETTLE_MS = 50;

export interface FolderWatch {
  dispose(): void;
}

/**
 * @param folder `…/.deeptwist/runs`; it may come and go
 * @param onChange receives the names of what has come or gone in the folder; of the folder itself, an empty set
 */
export function watchFolder(folder: string, onChange: (names: ReadonlySet<string>) => void): FolderWatch {
  /** What is watched: the folder, or the nearest one above that is there. */
  let watched: { readonly path: string; readonly watcher: FSWatcher } | undefined;
  const names = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;

  const tell = () => {
    timer = undefined;
    const told = new Set(names);
    names.clear();
    onChange(told);
  };
  const tellSoon = () => (timer ??= setTimeout(tell, SETTLE_MS));

  const look = () => {
    if (disposed) return;
    const nearest = nearestFolder(folder);
    if (nearest === watched?.path) return;
    watched?.watcher.close();
    watched = undefined;
    if (nearest === undefined) return;
    try {
      const watcher = watch(nearest, { persistent: false }, (_, name) => {
        if (nearest === folder && name !== null) names.add(name);
        if (nearest === folder) tellSoon();
        if (nearest !== folder || !existsSync(folder)) look();
      });
      watcher.on('error', () => {
        watcher.close();
        if (watched?.watcher === watcher) watched = undefined;
      });
      watched = { path: nearest, watcher };
    } catch {
      return; // No watch is left in the system, or the folder has just gone: VS Code's watcher remains.
    }
    // It may have been made, or more of it, before the watch was there.
    if (nearest === folder) tellSoon();
    else look();
  };
  look();
  return {
    dispose() {
      disposed = true;
      clearTimeout(timer);
      watched?.watcher.close();
    },
  };
}

function nearestFolder(folder: string): string | undefined {
  for (let path = folder; ; path = dirname(path)) {
    if (existsSync(path)) return path;
    if (path === dirname(path)) return undefined;
  }
}
