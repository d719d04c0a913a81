/** @file How many runs train at the same time, as the user has set it. */
import { workspace } from 'vscode';

/** At least 1: VS Code marks a setting that is out of its range, and gives it all the same. */
export function parallelRuns(): number {
  const value = workspace.getConfiguration('deeptwist').get<unknown>('runs.parallel', 1);
  return Math.max(1, Math.floor(Number(value)) || 1);
}
