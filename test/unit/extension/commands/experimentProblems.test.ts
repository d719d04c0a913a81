/** What keeps an experiment from being run, told before a process is started. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { ExperimentProblems } from '../../../../extension/commands/experimentProblems.ts';
import { lenet } from '../../language/lenet.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { editor, resetEditor, shown } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

beforeEach(resetEditor);

const typed = lenet.replace('{', '{ // another comment');

async function typedFile(): Promise<string> {
  const file = join(await temporaryFolder(), 'lenet.deeptwist.jsonc');
  writeFileSync(file, lenet);
  return file;
}

test('a file is saved, and what is checked is what was saved', async () => {
  const file = await typedFile();
  editor.unsaved = { text: typed, canBeSaved: true };
  expect(await new ExperimentProblems().check(file)).toBe(typed);
  expect(shown).toEqual([]);
});

test('a file that cannot be saved is not run as it was before, and nothing of what was typed is lost', async () => {
  const file = await typedFile();
  editor.unsaved = { text: typed, canBeSaved: false };
  expect(await new ExperimentProblems().check(file)).toBeUndefined();
  expect(shown).toEqual([
    ['error', `Cannot run the experiment: ${file} could not be saved. Save it, then run it again.`, 'Open File'],
  ]);
  expect(editor.unsaved).toEqual({ text: typed, canBeSaved: false });
});
