/** @file The folders that agents may use: every path of a tool is resolved, links included, and refused where it lies elsewhere. */
import { lstatSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, parse, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMissing } from '../protocol/systemError.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import type { Run } from '../runs/run.ts';
import { findRun, listRuns, pathsIn, type RunList } from '../runs/findRun.ts';
import { isInside, mayBeLookedAt } from '../runs/workspaceFile.ts';
import { findSweep } from '../sweeps/findSweep.ts';
import type { Sweep } from '../sweeps/sweepFolder.ts';

const OTHER_FOLDER = 'Name that folder, too, where the server is started: deeptwist mcp DIR DIR2.';

export class Workspace {
  /** Absolute, links resolved; at least one. */
  readonly folders: readonly [string, ...string[]];

  /**
   * @param folders absolute
   * @throws UserError where one is not there, and for the root of a disk or a home folder, which are no project
   */
  constructor(folders: readonly string[]) {
    const [first, ...others] = folders.map(projectFolder);
    this.folders = [first, ...others];
  }

  /**
   * The path of a file or folder that is there, or is to be made, links resolved.
   * @param path absolute, or as seen from one of the folders: the first in which it is there
   * @throws UserError where it lies outside
   */
  resolve(path: string): string {
    const [first] = this.folders;
    const absolute = isAbsolute(path)
      ? resolve(path)
      : resolve(this.folders.find((folder) => isThere(resolve(folder, path))) ?? first, path);
    const real = mayBeLookedAt(absolute, first) ? realPath(absolute) : undefined;
    if (real !== undefined && isInside(real, this.folders)) return real;
    throw this.#outside(path);
  }

  #outside(path: string): UserError {
    return new UserError(`${path} is outside the workspace (${this.folders.join(', ')}).`, {
      remedy: OTHER_FOLDER,
      exitCode: ExitCode.usage,
    });
  }

  /** Refuses a path on another computer before a look for a run or a sweep asks that computer. */
  #checkReference(reference: string): void {
    const [first] = this.folders;
    if (!pathsIn(reference, this.folders).every((path) => mayBeLookedAt(path, first))) throw this.#outside(reference);
  }

  /** The folder in which a path lies. @param path as {@link resolve} returns it */
  folderOf(path: string): string {
    const [first] = this.folders;
    return this.folders.find((folder) => isInside(path, [folder])) ?? first;
  }

  /** A path as agents read it: relative to the first folder where it lies there. */
  shown(path: string): string {
    const [first] = this.folders;
    return isInside(path, [first]) ? relative(first, path).replaceAll('\\', '/') || '.' : path;
  }

  /** The runs of all folders, oldest first. */
  async listRuns(): Promise<RunList> {
    const { runs, unreadable } = await listRuns(this.folders);
    return { runs: runs.filter((run) => this.has(run.path)), unreadable };
  }

  /**
   * The run that an id, the beginning of one, the name of an experiment, a path or `last` names.
   * @throws UserError where there is none or several, or where it or its experiment lies outside
   */
  async findRun(reference: string): Promise<Run> {
    this.#checkReference(reference);
    const run = await findRun(reference, this.folders);
    this.resolve(run.path);
    // What `run.json` says of it may be made up: its modules would be loaded.
    this.resolve(run.record.experiment);
    return run;
  }

  /** The sweep that an id, the beginning of one, a path or `last` names; undefined where there is none. @throws as {@link findRun} */
  async findSweep(reference: string): Promise<Sweep | undefined> {
    this.#checkReference(reference);
    const sweep = await findSweep(reference, this.folders);
    if (sweep) for (const path of [sweep.path, sweep.runs, sweep.experiment]) this.resolve(path);
    return sweep;
  }

  /** True for a path that is there and leads into one of the folders. */
  has(path: string): boolean {
    const real = realPath(path);
    return real !== undefined && isInside(real, this.folders);
  }
}

/** The folders among the roots of a client, which are URIs. */
export function foldersOfRoots(roots: readonly { readonly uri: string }[]): string[] {
  return roots.flatMap(({ uri }) => {
    try {
      return [fileURLToPath(uri)];
    } catch {
      return []; // It is on another machine, or no file.
    }
  });
}

function projectFolder(folder: string): string {
  const real = realPath(folder);
  if (real === undefined || lstatSync(real, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UserError(`There is no folder ${folder}.`, { exitCode: ExitCode.usage });
  if (real === parse(real).root || real === realPath(homedir()))
    throw new UserError(`${real} is no project, and all of it would be in reach of agents.`, {
      remedy: 'Start the server in the folder of a project, or name it: deeptwist mcp DIR.',
      exitCode: ExitCode.usage,
    });
  return real;
}

/**
 * The place that a path leads to, links resolved. What is not there yet would be made in the place of its nearest folder that is there.
 * @returns undefined where it leads through a link to something that is not there
 */
function realPath(path: string): string | undefined {
  let existing = path;
  while (!isThere(existing)) {
    const above = dirname(existing);
    if (above === existing) return undefined;
    existing = above;
  }
  try {
    return join(realpathSync(existing), relative(existing, path));
  } catch {
    return undefined;
  }
}

/** True also for a link that leads nowhere. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // Something on the way is a file, or may not be looked into.
    if (isMissing(error)) return false;
    return error instanceof Error && 'code' in error && error.code !== 'ENOTDIR';
  }
}
