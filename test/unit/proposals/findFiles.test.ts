import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findFiles } from '../../../server/proposals/findFiles.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

test('a file is found once where a folder of the workspace lies in another one', async () => {
  const folder = await temporaryFolder();
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  for (const name of ['lenet.deeptwist.jsonc', 'pets.csv']) writeFileSync(join(inner, name), '');
  const { experiments, tables } = await findFiles([folder, inner], () => true);
  expect(experiments).toEqual([join(inner, 'lenet.deeptwist.jsonc')]);
  expect(tables).toEqual([join(inner, 'pets.csv')]);
});
