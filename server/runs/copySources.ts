/** @file The copies that a run keeps of the user's files which it was made from. */
import { statSync } from 'node:fs';
import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { explainDiskError } from './disk.ts';
import type { Run } from './run.ts';

/** Above it, a file is one of weights and no module: it is not held in memory. */
export const MODULE_BYTES = 1024 * 1024;

export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** As it was when it was loaded, a moment before; undefined for a large file. */
  readonly content: Buffer | undefined;
}

/** To be called as soon as the files have been loaded: they may change while the run is still being prepared. */
export function readSources(files: readonly string[]): Promise<SourceFile[]> {
  return Promise.all(
    files.map(async (path) => ({
      path,
      content: (await stat(path)).size <= MODULE_BYTES ? await readFile(path) : undefined,
    })),
  );
}

/** Copies the user's files to `source/`, at their paths relative to the experiment. */
export async function copySources(run: Run, files: readonly SourceFile[]): Promise<void> {
  for (const { path, content } of files) {
    const copy = sourceCopy(run, path);
    try {
      await mkdir(dirname(copy), { recursive: true });
      if (content) await writeFile(copy, content);
      else await copyFile(path, copy);
    } catch (error) {
      throw explainDiskError(error, run.path, content?.length ?? statSync(path).size);
    }
  }
}

/** Where a run keeps its copy of a file: as seen from the experiment, with `_` for each folder above it. */
export function sourceCopy(run: Run, file: string): string {
  const inside = relative(dirname(run.record.experiment), resolve(file))
    .split(sep)
    .map((part) => (part === '..' ? '_' : part));
  return join(run.sourceFolder, ...inside);
}

/** The file that a copy in `source/` is of. */
export function sourceOf(run: Run, copy: string): string {
  const inside = relative(run.sourceFolder, copy)
    .split(sep)
    .map((part) => (part === '_' ? '..' : part));
  return resolve(dirname(run.record.experiment), ...inside);
}
