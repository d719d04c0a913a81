/** Delete Run: what it asks, and what becomes of the folder. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FolderCommands } from '../../../../extension/commands/folderCommands.ts';
import { RunStore } from '../../../../extension/runs/runStore.ts';
import { createRun } from '../../../../server/runs/createRun.ts';
import { lockRun } from '../../../../server/runs/lockRun.ts';
import type { Run } from '../../../../server/runs/run.ts';
import { changeRunLabel } from '../../../../server/runs/runLabel.ts';
import { lenet } from '../../language/lenet.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { editor, resetEditor, shown } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

const QUESTION = 'Delete the run lenet · the good one?';
const MOVE = process.platform === 'win32' ? 'Move to Recycle Bin' : 'Move to Trash';
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined } as never;

let run: Run;
let trash: string;
let store: RunStore;

beforeEach(async () => {
  resetEditor();
  const folder = await temporaryFolder();
  trash = await temporaryFolder();
  editor.folders = [folder];
  const experiment = join(folder, 'lenet.deeptwist.jsonc');
  writeFileSync(experiment, lenet);
  run = await createRun({ experiment, text: lenet });
  await run.update({ state: 'finished' });
  await changeRunLabel(run.path, { name: 'the good one' });
  store = new RunStore(log, {} as never);
  return () => store.dispose();
});

const deleteIt = () => new FolderCommands({ store, log } as never).deleteRun(run.path, undefined);
const asked = () => shown.map(([kind, question, , answer]) => [kind, question, answer]);

test('a window in a browser asks for the run by its name and its folder, and deletes it for good', async () => {
  await deleteIt();
  expect(shown).toEqual([
    ['warning', QUESTION, { modal: true, detail: expect.stringContaining(run.path) as string }, 'Delete'],
  ]);
  expect(existsSync(run.path)).toBe(true);
  editor.answer = 'Delete';
  await deleteIt();
  expect(existsSync(run.path)).toBe(false);
  expect(store.peek(run.path)).toBeUndefined();
});

describe('a window on the desktop', () => {
  beforeEach(() => {
    Object.assign(editor, { isDesktop: true, answer: MOVE });
    editor.trash = (folder) => renameSync(folder, join(trash, basename(folder)));
  });

  test('moves the folder to the trash as it is', async () => {
    await deleteIt();
    expect(asked()).toEqual([['warning', QUESTION, MOVE]]);
    expect(shown[0][2]).toMatchObject({
      detail: expect.stringContaining('You can restore these files from the') as string,
    });
    expect(existsSync(join(trash, run.id, 'run.json'))).toBe(true);
    expect(store.peek(run.path)).toBeUndefined();
  });

  test('asks again where the trash takes nothing', async () => {
    editor.trash = () => {
      editor.answer = undefined;
      throw new Error('there is no trash');
    };
    await deleteIt();
    const again = [
      'warning',
      expect.stringContaining('Do you want to permanently delete instead?'),
      'Delete Permanently',
    ];
    expect(asked()).toEqual([['warning', QUESTION, MOVE], again]);
    expect(existsSync(run.path)).toBe(true);
    editor.answer = MOVE;
    editor.trash = () => {
      editor.answer = 'Delete Permanently';
      throw new Error('there is no trash');
    };
    await deleteIt();
    expect(existsSync(run.path)).toBe(false);
  });

  test('deletes for good where the user wants no trash', async () => {
    Object.assign(editor, { settings: { enableTrash: false }, answer: 'Delete' });
    await deleteIt();
    expect(asked()).toEqual([['warning', QUESTION, 'Delete']]);
    expect(existsSync(run.path)).toBe(false);
  });

  test('moves no run that a process writes', async () => {
    await run.update({ state: 'stopped' });
    const lock = await lockRun(run);
    expect((await userErrorOf(deleteIt)).message).toContain('is being trained by process');
    await lock.release();
    expect(existsSync(run.path)).toBe(true);
  });
});
