/**
 * @file Files of a workspace that are opened without a click, also where nobody trusts the workspace yet: one place decides
 * which of them are. A path may lead to a device that never ends, to a pipe that nobody writes to, or to another computer.
 */
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { isAbsolute, parse, relative, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { sha256Of } from '../formats/sha256.ts';
import { UserError } from '../protocol/userError.ts';

/** Bytes of a text that a person or DeepTwist writes: an experiment, `run.json`, the description of a model. */
export const MOST_TEXT_BYTES = 16 * 1024 * 1024;

/** A pipe is opened at once, not when somebody writes to it: what is not a file is found out without waiting. */
const READ_AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * True where a path lies in one of some folders, by its name: links are followed by {@link openRegularFile}, which opens no device.
 * @param path absolute
 */
export function isInside(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => {
    const inside = relative(folder, path);
    return inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
  });
}

/**
 * True where it may be looked at if a path is there. On Windows `\\HOST\SHARE` is not, unless the folder is on that share
 * as well: the look alone would send the user's name and the hash of the password to HOST.
 */
export function mayBeLookedAt(path: string, folder: string): boolean {
  const { root } = parse(resolve(path));
  return !/^[\\/]{2}/.test(root) || root.toLowerCase() === parse(resolve(folder)).root.toLowerCase();
}

/**
 * Opens a file to read it.
 * @throws UserError for a folder, a device or a pipe, and for a file with more than `most` bytes; the system's error else
 */
export async function openRegularFile(path: string, most = Infinity): Promise<FileHandle> {
  check(path, await stat(path), most);
  return open(path, READ_AT_ONCE);
}

/** The text of a file. @throws as {@link openRegularFile} */
export async function readRegularFile(path: string, most = MOST_TEXT_BYTES): Promise<string> {
  const file = await openRegularFile(path, most);
  try {
    const buffer = await readBytes(file, (await file.stat()).size);
    return buffer.toString();
  } finally {
    await file.close();
  }
}

/** Not to the end: of some files of the system, such as those of `/proc`, the size is 0 and the end never comes. */
async function readBytes(file: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  for (let length = 0; length < size;) {
    const { bytesRead } = await file.read(bytes, length, size - length, length);
    if (bytesRead === 0) return bytes.subarray(0, length);
    length += bytesRead;
  }
  return bytes;
}

/** The text at the beginning of a file. @throws as {@link openRegularFile} */
export function readBeginningSync(path: string, most: number): string {
  return readFirstBytesSync(path, most).toString();
}

/**
 * The beginning of a file, without waiting for the disk in between.
 * @throws as {@link openRegularFile}
 */
export function readFirstBytesSync(path: string, most: number): Buffer {
  check(path, statSync(path), Infinity);
  const descriptor = openSync(path, READ_AT_ONCE);
  try {
    const bytes = Buffer.alloc(Math.min(most, fstatSync(descriptor).size));
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * SHA-256 of a file, in hexadecimal digits.
 * @throws as {@link openRegularFile}; the signal's reason when it aborts
 */
export async function hashRegularFile(path: string, most: number, signal?: AbortSignal): Promise<string> {
  const file = await openRegularFile(path, most);
  const { size } = await file.stat();
  if (size > 0) return sha256Of(file.createReadStream({ end: size - 1 }), signal);
  await file.close();
  return sha256Of(Readable.from([]), signal);
}

function check(path: string, stats: Stats, most: number): void {
  if (!stats.isFile())
    throw new UserError(`${path} is not a file, but ${kindOf(stats)}.`, {
      remedy: 'Put a file in its place, or name another one.',
    });
  if (stats.size > most)
    throw new UserError(
      `${path} has ${stats.size.toLocaleString('en')} bytes: at most ${most.toLocaleString('en')} are read.`,
      { remedy: 'Name another file.' },
    );
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}
