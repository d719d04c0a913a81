/** @file Files that a model's file names: the shards of a `model.json`, the external data of an ONNX model. */
import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { isMissing } from '../protocol/systemError.ts';
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';

/**
 * A file with weights is in the folder of its model: a model that came from elsewhere must not have others read, and copied to
 * the run folder. A cache of downloads may have links in place of both.
 * @param path absolute path of the model's file
 * @param name what it calls the other file
 * @returns absolute path and bytes of the other file
 * @throws UserError for a file that is not there, or outside of the folder
 */
export async function fileBeside(path: string, name: string, remedy: string): Promise<{ file: string; size: number }> {
  const file = resolve(dirname(path), name);
  const refuse = (reason: string, cause?: unknown) =>
    new UserError(`${path}: the weight file ${name} ${reason}.`, { remedy, cause });
  if (isAbsolute(name) || !isInside(file, dirname(path))) throw refuse('is outside of the folder of the model');
  try {
    const real = await realpath(file);
    const { size } = await stat(real).then((found) => (found.isFile() ? found : Promise.reject(refuse('is no file'))));
    const folders = [await realpath(dirname(path)), dirname(await realpath(path))];
    if (!folders.some((folder) => isInside(real, folder))) throw refuse('is a link out of the folder of the model');
    return { file, size };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refuse(isMissing(error) ? 'does not exist' : `cannot be read: ${messageOf(error)}`, error);
  }
}

function isInside(file: string, folder: string): boolean {
  const inside = relative(folder, file);
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}
