/**
 * @file The name and the note that a user gives a run: `label.json` in the run folder. Apart from `run.json`, which the process that trains
 * the run writes.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '../protocol/record.ts';
import type { RunLabel } from '../protocol/run/runLabel.ts';
import { writeAtomically } from './disk.ts';
import { readRegularFile } from './workspaceFile.ts';

const LABEL_FILE = 'label.json';
/** Bytes of a file that is read: a note is no document. */
const MOST_BYTES = 64 * 1024;

/** @returns an empty label for a run without one, and for a file that is damaged: a run is more than its name */
export async function readRunLabel(runFolder: string): Promise<RunLabel> {
  try {
    const label: unknown = JSON.parse(await readRegularFile(join(runFolder, LABEL_FILE), MOST_BYTES));
    if (!isRecord(label)) return {};
    // Not by a schema: a window that starts does not wait for those.
    const { name, note, pinned } = label;
    return {
      ...(typeof name === 'string' && { name }),
      ...(typeof note === 'string' && { note }),
      ...(pinned === true && { pinned }),
    };
  } catch {
    return {};
  }
}

/**
 * Changes the label that the folder has now, which another window may have written. An empty text removes what it stands for, and an
 * empty label leaves no file.
 */
export async function changeRunLabel(runFolder: string, changes: RunLabel): Promise<void> {
  const { name, note, pinned } = { ...(await readRunLabel(runFolder)), ...changes };
  const label = { ...(name && { name }), ...(note && { note }), ...(pinned && { pinned }) };
  const file = join(runFolder, LABEL_FILE);
  if (Object.keys(label).length === 0) await rm(file, { force: true });
  else await writeAtomically(file, JSON.stringify(label, null, 2) + '\n');
}
