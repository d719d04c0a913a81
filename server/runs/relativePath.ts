/** @file How an experiment file names other files. */
import { relative, sep } from 'node:path';

/** `./model.ts`, `../wide/model.json`. @param folder of the experiment file, absolute as the path */
export function relativePath(folder: string, path: string): string {
  const result = relative(folder, path).split(sep).join('/');
  return /^\.\.?\//.test(result) ? result : `./${result}`;
}
