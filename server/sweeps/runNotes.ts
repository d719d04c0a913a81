/** @file What people have said of the runs of a sweep: `notes.json` in its folder, so that it moves along. */
import { join } from 'node:path';
import * as z from 'zod';
import type { RunNote, RunNoteChange } from '../protocol/wire/sweep.ts';
import { isMissing } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';
import { writeAtomically } from '../runs/disk.ts';
import { readRegularFile } from '../runs/workspaceFile.ts';

const NOTES_FILE = 'notes.json';

const notesSchema = z.object({
  format: z.literal(1),
  runs: z.record(z.string(), z.object({ pinned: z.boolean(), text: z.string() })).describe('By the ids of runs.'),
});

/**
 * What is said of the runs of a sweep, by their ids.
 * @param folder of the sweep
 * @throws UserError where the file is damaged
 */
export async function readNotes(folder: string): Promise<ReadonlyMap<string, RunNote>> {
  const file = join(folder, NOTES_FILE);
  let value: unknown;
  try {
    value = JSON.parse(await readRegularFile(file));
  } catch (error) {
    if (isMissing(error)) return new Map();
    if (!(error instanceof SyntaxError)) throw error;
  }
  const parsed = notesSchema.safeParse(value);
  if (parsed.success) return new Map(Object.entries(parsed.data.runs));
  throw new UserError(`${file} is damaged, or was written by a newer version.`, {
    remedy: 'Mend it, or move it elsewhere: it has the notes of the sweep, and nothing else needs it.',
  });
}

/**
 * Changes what is said of some runs, of each by itself; an empty note of one that is not pinned says nothing.
 * @throws as {@link readNotes}
 */
export async function writeNotes(folder: string, ids: readonly string[], change: RunNoteChange): Promise<void> {
  const runs = new Map(await readNotes(folder));
  for (const id of ids) {
    const known = runs.get(id);
    const pinned = change.pinned ?? known?.pinned ?? false;
    const text = change.text ?? known?.text ?? '';
    if (pinned || text !== '') runs.set(id, { pinned, text });
    else runs.delete(id);
  }
  const notes: z.output<typeof notesSchema> = { format: 1, runs: Object.fromEntries(runs) };
  await writeAtomically(join(folder, NOTES_FILE), `${JSON.stringify(notes, null, 2)}\n`);
}
