/** @file The process of a run, for windows that may speak with it. */
import { workspace } from 'vscode';
import type { Run } from '../../server/runs/run.ts';
import type { RunProcess } from '../../server/runs/tickets.ts';

/** The process that trains a run; undefined where none is known, and while the workspace is not trusted. */
export async function findProcess(run: Run): Promise<RunProcess | undefined> {
  if (!workspace.isTrusted) return undefined;
  // Loaded with the first run that trains: a window begins before that.
  const { findRunProcess } = await import('../../server/runs/tickets.ts');
  return findRunProcess(run);
}
