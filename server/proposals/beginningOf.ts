/** @file The beginning of a file of the workspace. */
import { readBeginningSync } from '../runs/workspaceFile.ts';

/** Empty for a file that cannot be read. */
export function beginningOf(file: string, most: number): string {
  try {
    return readBeginningSync(file, most);
  } catch {
    return '';
  }
}
