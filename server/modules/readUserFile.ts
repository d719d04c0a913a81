/** @file Reads a file that an experiment names; every failure is an error that names the file. */
import { constants } from 'node:buffer';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { FormatError } from '../formats/formatError.ts';
import { fileKindOf } from '../formats/fileKind.ts';
import { UserError } from '../protocol/userError.ts';

/** Bytes that are read at once: the system reads no more than 2 GiB. */
const PIECE_BYTES = 2 ** 30;

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'you may not read it',
  EPERM: 'you may not read it',
  ENOTDIR: 'a part of its path is no folder',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its links point at each other',
};

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
    if (!(error instanceof FormatError)) throw error;
    const kind = fileKindOf(bytes);
    throw new UserError(`${path} is not usable: ${kind === undefined ? error.message : `it is ${kind.name}`}.`, {
      remedy: kind?.remedy ?? error.remedy ?? remedy,
      cause: error,
    });
  }
}

async function readBytes(path: string, remedy: string): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    // Before it is opened: to open a pipe waits for who writes it.
    const status = await stat(path);
    if (status.isDirectory()) throw unreadable(path, 'it is a folder', remedy);
    if (!status.isFile()) throw unreadable(path, 'it is no regular file', remedy);
    const most = Math.min(constants.MAX_LENGTH, totalmem());
    if (status.size > most)
      throw unreadable(
        path,
        `it has ${status.size} bytes; a file is read as a whole, which is possible up to ${most} here`,
        'Divide it into several files, or read parts of it in a data module of your own.',
      );
    file = await open(path);
    return await readWhole(file, status.size);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UserError(`${path} does not exist.`, { remedy, cause: error });
    throw unreadable(path, reasons[code ?? ''] ?? message, remedy, error);
  } finally {
    await file?.close();
  }
}

async function readWhole(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
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
