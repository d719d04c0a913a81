/** @file Reads a file that an experiment names; every failure is an error that names the file. */
import { readFile } from 'node:fs/promises';
import { FormatError } from '../formats/formatError.ts';
import { isMissing, reasonOf, refusalOf } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';

/**
 * @param decode turns the file's bytes into what is wanted
 * @param remedy what to do when the file is missing or damaged
 */
export async function readUserFile<T>(path: string, decode: (bytes: Uint8Array) => T, remedy: string): Promise<T> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const missing = isMissing(error);
    throw new UserError(missing ? `${path} does not exist.` : `${path} cannot be read: ${reasonOf(error)}.`, {
      remedy: missing ? remedy : (refusalOf(error)?.remedy ?? remedy),
      cause: error,
    });
  }
  try {
    return decode(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UserError(`${path} is not usable: ${error.message}.`, { remedy, cause: error });
  }
}
