/** The experiments of a workspace, as the tree shows them. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { findExperimentFiles } from '../../../../extension/runs/experimentFiles.ts';
import { createRun } from '../../../../server/runs/createRun.ts';
import { lenet } from '../../language/lenet.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { editor, resetEditor } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

beforeEach(resetEditor);

test('an experiment is there once where a folder of the workspace lies in another one', async () => {
  const folder = await temporaryFolder();
  const inner = join(folder, 'inner');
  const file = join(inner, 'lenet.deeptwist.jsonc');
  mkdirSync(inner);
  writeFileSync(file, lenet);
  editor.folders = [folder, inner];
  expect(await findExperimentFiles()).toMatchObject([{ file, folder: inner }]);
});

test('an experiment that is gone is there once, whatever its run folders are called', async () => {
  const folder = await temporaryFolder();
  writeFileSync(join(folder, 'other.deeptwist.jsonc'), lenet);
  const gone = join(folder, 'gone.deeptwist.jsonc');
  for (const id of ['20261124-101500-first', '20261124-101501-second']) {
    const { path } = await createRun({ experiment: gone, text: lenet });
    renameSync(path, join(dirname(path), id));
  }
  editor.folders = [folder];
  const experiments = await findExperimentFiles();
  expect(experiments.map(({ name, missing }) => [name, missing])).toEqual([
    ['gone', true],
    ['other', undefined],
  ]);
});
