import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { changeRunLabel, readRunLabel } from '../../../server/runs/runLabel.ts';
import { temporaryFolder } from './temporaryRun.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

test('a run keeps the name, the note and the pin that it is given', async () => {
  const label = { name: 'the good one', note: 'rate of the paper', pinned: true };
  await changeRunLabel(folder, label);
  expect(await readRunLabel(folder)).toEqual(label);
});

test('a change keeps the rest, which another window may have written', async () => {
  await changeRunLabel(folder, { name: 'the good one' });
  await changeRunLabel(folder, { pinned: true });
  expect(await readRunLabel(folder)).toEqual({ name: 'the good one', pinned: true });
});

test('an empty label leaves no file', async () => {
  await changeRunLabel(folder, { name: 'x' });
  await changeRunLabel(folder, { name: '', note: '', pinned: false });
  expect(await readdir(folder)).toEqual([]);
  expect(await readRunLabel(folder)).toEqual({});
});

test.each(['', '{', '[]', '{"name": 1}'])('a damaged file is no label: %j', async (text) => {
  await writeFile(join(folder, 'label.json'), text);
  expect(await readRunLabel(folder)).toEqual({});
});
