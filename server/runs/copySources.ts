/** @file The copies that a run keeps of the user's files which it was made from. */
import { statSync } from 'node:fs';
import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import platformPath, { dirname, join, relative, resolve, type PlatformPath } from 'node:path';
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

/** Path of a run's copy of a file: see {@link copyName}. */
export function sourceCopy(run: Run, file: string): string {
  return join(run.sourceFolder, copyName(dirname(run.record.experiment), resolve(file)));
}

/** The file that a copy in `source/` is of. */
export function sourceOf(run: Run, copy: string): string {
  return copiedFile(dirname(run.record.experiment), relative(run.sourceFolder, copy));
}

const DRIVE = /^([A-Za-z]):$/;
const DRIVE_COPY = /^_drive-([A-Za-z])$/;
const SHARE_COPY = '_share';

/**
 * The path of a copy in `source/`: that of the file as seen from the experiment, with `_` for each folder above it and one `_`
 * more where a folder has a name of nothing else. A file on another drive of Windows is under `_drive-D`, one on another share
 * under `_share`.
 * @param folder of the experiment; both are absolute
 * @param path the rules of the system: those of this one, but for a test
 */
export function copyName(folder: string, file: string, path: PlatformPath = platformPath): string {
  const seen = path.relative(folder, file);
  const parts = seen.split(path.sep);
  if (!path.isAbsolute(seen)) return parts.map(copyPart).join(path.sep);
  const [drive] = parts;
  const letter = DRIVE.exec(drive)?.[1];
  const outside = letter === undefined ? [SHARE_COPY, ...parts.slice(2)] : [`_drive-${letter}`, ...parts.slice(1)];
  return outside.join(path.sep);
}

/** The inverse of {@link copyName}. */
export function copiedFile(folder: string, copy: string, path: PlatformPath = platformPath): string {
  const [first, ...rest] = copy.split(path.sep);
  const letter = DRIVE_COPY.exec(first)?.[1];
  if (path.sep === '\\' && letter !== undefined) return [`${letter}:`, ...rest].join(path.sep);
  if (path.sep === '\\' && first === SHARE_COPY) return ['', '', ...rest].join(path.sep);
  return path.resolve(folder, ...[first, ...rest].map(copiedPart));
}

function copyPart(part: string): string {
  return part === '..' ? '_' : /^_+$/.test(part) ? `_${part}` : part;
}

function copiedPart(part: string): string {
  return part === '_' ? '..' : /^__+$/.test(part) ? part.slice(1) : part;
}
