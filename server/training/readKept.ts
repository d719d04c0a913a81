/** @file What a run keeps of its data, to be the same when it goes on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../protocol/systemError.ts';
import type { Run } from '../runs/run.ts';

/** The text of a file in the run folder; undefined where it is not there. */
export function readKept(run: Run, name: string): Promise<string | undefined> {
  return readFile(join(run.path, name), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}
