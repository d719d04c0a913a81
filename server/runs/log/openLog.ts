/** @file Opening a run's `events.jsonl` to read it. */
import type { FileHandle } from 'node:fs/promises';
import { explainSystemError, isMissing } from '../../protocol/systemError.ts';
import { openRegularFile } from '../workspaceFile.ts';

/**
 * @param path of the log
 * @returns undefined where nothing has been recorded yet
 * @throws UserError for something that is no file, and for one that the system does not open
 */
export async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await openRegularFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw explainSystemError(error, { path, cannot: 'read' });
  }
}
