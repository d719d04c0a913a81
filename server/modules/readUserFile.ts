/** @file Reads a file that an experiment names; every failure is an error that names the file. */
import { constants } from 'node:buffer';
import { constants as modes } from 'node:fs';
import { access, open, stat, type FileHandle } from 'node:fs/promises';
import { FormatError } from '../formats/formatError.ts';
import { fileKindOf } from '../formats/fileKind.ts';
import { memoryOfMachine } from '../memory/machineMemory.ts';
import { isMissing, reasonOf, refusalOf } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';

/** Bytes that are read at once: the system reads no more than 2 GiB. */
const PIECE_BYTES = 2 ** 30;

/**
 * @param path absolute
 * @param decode turns the file's bytes into what is wanted
 * @param remedy what to do when the file is missing or damaged
 * @throws UserError that names the file: missing, no regular file, larger than memory, or what a FormatError says of it
 */
export async function readUserFile<T>(path: string, decode: (bytes: Uint8Array) => T, remedy: string): Promise<T> {
  const bytes = await readBytes(path, remedy);
  try {
    return decode(bytes);
  } catch (error) {
    throw error instanceof FormatError ? notUsable(path, error, bytes, remedy) : error;
  }
}

/**
 * What a FormatError says, about the file.
 * @param head at least the beginning of the file, which tells whether it is something else, such as a web page; undefined where it
 * has told that it is not
 * @param remedy what to do where neither the error nor the file tells
 */
export function notUsable(path: string, error: FormatError, head: Uint8Array | undefined, remedy: string): UserError {
  const kind = head && fileKindOf(head);
  return new UserError(`${path} is not usable: ${kind === undefined ? error.message : `it is ${kind.name}`}.`, {
    remedy: kind?.remedy ?? error.remedy ?? remedy,
    cause: error,
  });
}

/**
 * A folder, a device and a pipe are no files that can be read to an end.
 * @returns bytes of the file
 * @throws UserError when there is no such file, it is none, or it may not be read
 */
export async function checkUserFile(path: string, remedy: string): Promise<number> {
  try {
    // Before it is opened: to open a pipe waits for who writes it.
    const status = await stat(path);
    if (status.isDirectory()) throw unreadable(path, 'it is a folder', remedy);
    if (!status.isFile()) throw unreadable(path, 'it is no regular file', remedy);
    await access(path, modes.R_OK);
    return status.size;
  } catch (error) {
    throw explained(path, error, remedy);
  }
}

async function readBytes(path: string, remedy: string): Promise<Uint8Array> {
  const size = await checkUserFile(path, remedy);
  const most = Math.min(constants.MAX_LENGTH, memoryOfMachine());
  if (size > most)
    throw unreadable(
      path,
      `it has ${size} bytes; a file is read as a whole, which is possible up to ${most} here`,
      'Divide it into several files, or read parts of it in a data module of your own.',
    );
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    return await readWhole(file, size);
  } catch (error) {
    throw explained(path, error, remedy);
  } finally {
    await file?.close();
  }
}

function explained(path: string, error: unknown, remedy: string): UserError {
  if (error instanceof UserError) return error;
  if (isMissing(error)) return new UserError(`${path} does not exist.`, { remedy, cause: error });
  return unreadable(path, reasonOf(error), refusalOf(error)?.remedy ?? remedy, error);
}

async function readWhole(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(bytes, length, Math.min(PIECE_BYTES, size - length));
    if (bytesRead === 0) break; // It has become shorter meanwhile.
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

function unreadable(path: string, reason: string, remedy: string, cause?: unknown): UserError {
  return new UserError(`${path} cannot be read: ${reason}.`, { remedy, cause });
}
