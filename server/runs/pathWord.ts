/** @file Paths in commands that a user is told to enter. */
import { relative, sep } from 'node:path';
import { shellWord } from '../protocol/shellWord.ts';

/**
 * The word by which a command that is entered in a folder takes a file, a run or a sweep: an id would be looked for below that folder alone.
 * @param directory the folder; default: that of this process
 */
export function pathWord(path: string, directory = process.cwd()): string {
  const way = (relative(directory, path) || '.').split(sep).join('/');
  return shellWord(way.startsWith('-') ? `./${way}` : way);
}
