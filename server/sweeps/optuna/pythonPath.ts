/** @file The Python that a search names: a command such as `python3`, or a path. */
import { resolve, sep } from 'node:path';
import { relativePath } from '../../runs/relativePath.ts';
import { isInside } from '../../runs/workspaceFile.ts';

/** A command is looked for in the folders of `PATH`. */
function isCommand(python: string): boolean {
  return !python.includes('/') && !python.includes(sep);
}

/** The command, or the absolute path. @param folder from which a path is named */
export function pythonFrom(folder: string, python: string): string {
  return isCommand(python) ? python : resolve(folder, python);
}

/**
 * The Python as a sweep keeps it: a path in the folder of the experiment file is one from there, since a project that is moved takes it along.
 * @param python of {@link pythonFrom}
 */
export function recordedPython(folder: string, python: string): string {
  if (isCommand(python)) return python;
  return isInside(python, [folder]) ? relativePath(folder, python) : python;
}
