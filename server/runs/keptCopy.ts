/** @file The copies of experiment files that runs and sweeps keep: they are read, and never run themselves. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { EXPERIMENT_FILE, RUN_FILE } from './run.ts';

/** True if a file is the copy of an experiment in a run folder. */
export function isRunCopy(file: string): boolean {
  return basename(file) === EXPERIMENT_FILE && existsSync(join(dirname(file), RUN_FILE));
}

/** True if an experiment file is the copy that a run or a sweep keeps. */
export function isKeptCopy(file: string): boolean {
  return file.split(sep).includes('.deeptwist') || isRunCopy(file);
}
