import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Batch, Dataset } from '../../../../server/data/dataset.ts';
import { pngOf } from '../../formats/images/pngFile.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { flat, flatSamples, newFolder, openImages, writeFiles } from './imageFolders.ts';

let folder: string;
beforeEach(() => {
  folder = newFolder();
  writeFiles(join(folder, 'data'), Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i}.png`, flat(i)])));
  writeFiles(join(folder, 'data'), { 'more/10.PNG': flat(10) });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inOrder = (split: Dataset['test']) => flatSamples(split.batches(3) as Iterable<Batch>);

function open(train: string, test_: string, settings: Record<string, unknown> = {}) {
  writeFiles(folder, { 'train.csv': train, 'test.csv': test_ });
  return openImages(folder, { labels: { train: 'train.csv', test: 'test.csv' }, ...settings });
}

const train = 'file,label\n0.png,dog\n1.png,cat\nmore/10.PNG,cat\n';

describe('the classes of images are told by files', () => {
  test('a row is an image, classes are sorted by their names', async () => {
    const data = await open(train, 'file,label\n5.png,dog\n');
    expect(data.classes).toEqual(['cat', 'dog']);
    expect(inOrder(data.train)).toEqual([
      [1, 0],
      [10, 0],
      [0, 1],
    ]);
    expect(inOrder(data.test)).toEqual([[5, 1]]);
  });

  test('one file is divided by fractions, class by class', async () => {
    const rows = Array.from({ length: 10 }, (_, i) => `${i},${i % 2}`).join('\n');
    writeFiles(folder, { 'labels.csv': `id,number\n${rows}\n` });
    const data = await openImages(folder, { labels: 'labels.csv', split: { test: 0.2, validation: 0.2 } });
    const parts = [data.train, data.validation!, data.test].map(inOrder);
    expect(parts.map((rows_) => rows_.map(([, label]) => label))).toEqual([
      [0, 0, 0, 1, 1, 1],
      [0, 1],
      [0, 1],
    ]);
    expect(
      parts
        .flat()
        .map(([value]) => value)
        .sort(),
    ).toEqual([...Array(10).keys()]);
    for (const [value, label] of parts.flat()) expect(label).toBe(value % 2);
  });

  test('columns are found by their values and names, or named', async () => {
    const table = 'width,breed,image,class\n3,poodle,0.png,dog\n3,siam,1.png,cat\n';
    expect((await open(table, table)).classes).toEqual(['cat', 'dog']);
    const named = await open(table, table, { labelColumns: { file: 'image', label: 'breed' } });
    expect(named.classes).toEqual(['poodle', 'siam']);
  });
});

describe('what is wrong is named with its line', () => {
  test.each([
    [
      'an image that is not there',
      'file,label\n0.png,dog\n77.png,cat\n',
      "train.csv, line 3: there is no image '77.png' in ",
    ],
    ['none that is there', 'file,label\nx.png,dog\n', 'train.csv, line 2: no value is a file in '],
    ['an image twice', 'file,label\n0.png,dog\n1.png,cat\n0,cat\n', 'train.csv, line 4: 0.png is in line 2, too.'],
    [
      'an image elsewhere',
      'file,label\n0.png,dog\n../x.png,cat\n',
      "train.csv, line 3: there is no image '../x.png' in ",
    ],
    ['no class', 'file,label\n0.png,dog\n1.png,\n', "train.csv, line 3: column 'label' has no value."],
    ['a single class', 'file,label\n0.png,dog\n1.png,dog\n', 'train.csv has a single class, dog'],
    [
      'columns of which none is the classes',
      'file,a,b\n0.png,dog,1\n',
      'train.csv has the columns file, a, b, and none is seen',
    ],
    [
      'a row that is too long',
      'file,label\n0.png,dog,1\n',
      'train.csv is not usable: line 2 has 3 values, and there are 2 columns.',
    ],
    ['names alone', 'file,label\n', 'train.csv has no rows.'],
    ['an empty file', '', 'train.csv is not usable: it is empty.'],
  ])('%s', async (_, table, message) => {
    expect((await userErrorOf(() => open(table, table))).message).toContain(message);
  });

  test('a class that training lacks', async () => {
    const { message } = await userErrorOf(() => open(train, 'file,label\n5.png,eel\n'));
    expect(message).toContain("test.csv, line 2: 'eel' is a class that no image has that is trained on.");
  });

  test('a column that is not there', async () => {
    const { message } = await userErrorOf(() => open(train, train, { labelColumns: { label: 'labels' } }));
    expect(message).toMatch(/^data\.labelColumns\.label: .*train\.csv has no column 'labels'; did you mean 'label'\?$/);
  });

  test('an image of another size', async () => {
    writeFiles(join(folder, 'data'), { 'big.png': pngOf(9, 9, () => 1) });
    const { message } = await userErrorOf(() => open(`${train}big.png,dog\n`, train));
    expect(message).toContain('big.png');
  });
});
