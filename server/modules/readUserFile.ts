/** @file Reads a file that an experiment names; every failure is an error that names the file. */
import { readFile, stat } from 'node:fs/promises';
import { FormatError } from '../formats/formatError.ts';
import { UserError } from '../protocol/userError.ts';

/**
 * @param decode turns the file's bytes into what is wanted
 * @param remedy what to do when the file is missing or damaged
 */
export async function readUserFile<T>(path: string, decode: (bytes: Uint8Array) => T, remedy: string): Promise<T> {
  await checkUserFile(path, remedy);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw unreadable(path, error, remedy);
  }
  try {
    return decode(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UserError(`${path} is not usable: ${error.message}.`, { remedy, cause: error });
  }
}

/**
 * A device or a pipe would be read for ever.
 * @throws UserError when there is no such file, or it is none
 */
export async function checkUserFile(path: string, remedy: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error, remedy);
  });
  if (found.isFile()) return;
  throw new UserError(`${path} is ${found.isDirectory() ? 'a folder' : 'a device or a pipe'}, not a file.`, { remedy });
}

function unreadable(path: string, error: unknown, remedy: string): UserError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist.' : `cannot be read: ${message}`;
  return new UserError(`${path} ${reason}`, { remedy, cause: error });
}
