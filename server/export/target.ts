/** @file The file or folder that an export is written to: it appears once it has been verified, whole. */
import { mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { explainDiskError, writeAtomically } from '../runs/disk.ts';
import type { WrittenModel } from './format.ts';

const OWN = { isFileOfItsOwn: true };

/** @throws UserError for a path that the file or folder cannot have */
export async function checkTarget(path: string, { isFolder }: { isFolder: boolean }): Promise<void> {
  const refuse = (message: string, remedy: string) => new UserError(message, { remedy, exitCode: ExitCode.usage });
  const isFolderAt = async (place: string) => (await stat(place).catch(() => undefined))?.isDirectory();
  const isThere = await isFolderAt(path);
  if (isThere && !isFolder) throw refuse(`${path} is a folder.`, 'Give the path of a file.');
  if (isThere && (await readdir(path)).length > 0)
    throw refuse(
      `The folder ${path} is not empty.`,
      'Name another, or remove it: an export makes a folder of its own.',
    );
  if (isFolder && isThere === false)
    throw refuse(`${path} is a file.`, 'Give the path of a folder that is to be made.');
  if (await isFolderAt(dirname(path))) return;
  throw refuse(`The folder ${dirname(path)} does not exist.`, 'Make it, or name another.');
}

/**
 * Writes under another name, and gives it the path once `verify` has looked at it. Whatever fails leaves nothing.
 * @throws UserError where it cannot be written; what `verify` throws
 */
export async function writeVerified<R>(
  path: string,
  content: WrittenModel['content'],
  verify: (unverified: string) => Promise<R>,
): Promise<R> {
  const unverified = `${path}.unverified`;
  const explained = (error: unknown) => {
    throw explainDiskError(error, path, 0, OWN);
  };
  try {
    if (content instanceof Uint8Array) await writeAtomically(unverified, content, OWN);
    else {
      await rm(unverified, { recursive: true, force: true });
      for (const [name, bytes] of content) {
        await mkdir(dirname(join(unverified, name)), { recursive: true }).catch(explained);
        await writeAtomically(join(unverified, name), bytes, OWN);
      }
    }
    const verified = await verify(unverified);
    // An empty folder gives way: Windows does not rename over it.
    if (!(content instanceof Uint8Array)) await rmdir(path).catch(() => undefined);
    await rename(unverified, path).catch(explained);
    return verified;
  } finally {
    await rm(unverified, { recursive: true, force: true });
  }
}

/** A file that was written, and its size as a download with gzip. */
export interface FileSize {
  /** Path in the folder; empty for a file of its own. */
  readonly name: string;
  readonly bytes: number;
  readonly gzipBytes: number;
}

/** Sizes of what is written, file by file. */
export function fileSizes(content: WrittenModel['content']): FileSize[] {
  const files = content instanceof Uint8Array ? [['', content] as const] : [...content];
  return files.map(([name, bytes]) => fileSize(name, bytes));
}

/** Size of a file. @param name its path in the folder; empty for a file of its own */
export function fileSize(name: string, bytes: Uint8Array): FileSize {
  return { name, bytes: bytes.length, gzipBytes: gzipSync(bytes).length };
}
