/** @file Reading files of a folder that somebody else may have made: a pipe or a device under their names would never end. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { formatBytes } from '../protocol/formatQuantity.ts';
import { UserError } from '../protocol/userError.ts';

/** Longest text of a run folder that is read whole. */
const TEXT_BYTES = 64 * 1024 * 1024;
/** Opening a pipe to read would wait for its writer; Windows has no such flag. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Opens a file to read it. @throws UserError where it is a folder, a pipe or a device */
export async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, FLAGS);
  try {
    if (!(await file.stat()).isFile()) throw notRegular(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The same as a descriptor. */
export function openRegularSync(path: string): number {
  const file = openSync(path, FLAGS);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw notRegular(path);
}

/** The text of a file. @throws UserError where it is no regular file, or larger than any that is written */
export async function readText(path: string): Promise<string> {
  const file = await openRegular(path);
  try {
    checkSize(path, (await file.stat()).size);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** The same at once. */
export function readTextSync(path: string): string {
  const file = openRegularSync(path);
  try {
    checkSize(path, fstatSync(file).size);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function checkSize(path: string, bytes: number): void {
  if (bytes > TEXT_BYTES)
    throw new UserError(
      `${path} is too large to be read: ${formatBytes(bytes)}, the limit is ${formatBytes(TEXT_BYTES)}.`,
    );
}

function notRegular(path: string): UserError {
  return new UserError(`${path} is no regular file, but a folder, a pipe or a device.`);
}
