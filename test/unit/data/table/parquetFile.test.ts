import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { userErrorOf } from '../../userErrorOf.ts';
import { newFolder, openTable, rowsOf } from './tables.ts';

/** Written by Apache Arrow: fixtures/make_fixtures.py. */
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}.parquet`, import.meta.url));

let folder: string;
beforeEach(() => void (folder = newFolder()));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(file: string, settings: Record<string, unknown> = {}) {
  return openTable(folder, { files: { train: file, test: file }, standardize: 'none', ...settings });
}

const kinds = { lists: 'ignored' };

test.each(['snappy', 'gzip', 'zstd', 'brotli', 'lz4', 'none'])(
  'values are those that were written: %s',
  async (name) => {
    const data = await open(fixture(name), { kinds });
    expect(data.table?.columns.map(({ name: column, kind }) => `${column} ${kind}`)).toEqual([
      'float number',
      'half number',
      'long number',
      'byte number',
      'decimal number',
      'truth category',
      'digits category',
      'colour category',
      'day category',
    ]);
    expect(data.table?.columns.slice(5)).toMatchObject([
      { categories: ['false', 'true'] },
      { categories: ['007', '42'] },
      { categories: ['größer', 'red', ''] },
      { categories: ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'] },
    ]);
    const rows = rowsOf(data.train);
    expect(rows).toHaveLength(40);
    expect(rows[38]).toEqual([38 / 4, 19, Math.fround(38e12), 3, Math.fround(0.38), 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
    expect(rows[7].slice(9, 12)).toEqual([0, 0, 1]);
    const mean = (780 - 3) / 4 / 39;
    expect(rows[3][0]).toBeCloseTo(mean, 5);
    expect(data.warnings).toContain("data: column 'half' lacks 2 of 80 values; they become 9.9359 (data.missing).");
  },
);

test('floats of 16 bits are numbers, and an empty text is missing as null is', async () => {
  const data = await open(fixture('halves'));
  expect(data.table?.columns).toMatchObject([
    { name: 'half', kind: 'number' },
    { name: 'colour', categories: ['green', 'red', ''] },
  ]);
  expect(rowsOf(data.test)).toEqual([
    [0, 0, 0, 1, 0],
    // The mean of 0, 0.5, 0.75, 1 and 1.25.
    [Math.fround(0.7), 0, 0, 1, 1],
    [0.5, 0, 1, 0, 0],
    [0.75, 0, 0, 1, 1],
    [1, 0, 0, 1, 0],
    [1.25, 1, 0, 0, 1],
  ]);
  const { message } = await userErrorOf(() => open(fixture('halves'), { missing: { categories: 'error' } }));
  expect(message).toContain("halves.parquet, row 1: column 'colour' has no value.");
});

test('columns that are not wanted are not read, and texts may be numbers where that is said', async () => {
  const data = await open(fixture('zstd'), { columns: ['digits'], kinds: { digits: 'number' } });
  expect(rowsOf(data.test).slice(0, 2)).toEqual([
    [7, 0],
    [42, 1],
  ]);
});

test('a table for training may be of another format than that for the test', async () => {
  writeFileSync(join(folder, 'test.csv'), 'kind,byte\nb,3\n');
  const data = await open('', {
    files: { train: fixture('snappy'), test: 'test.csv' },
    columns: ['byte'],
  });
  expect(rowsOf(data.test)).toEqual([[3, 1]]);
});

describe('what is wrong is named', () => {
  test('a column of lists', async () => {
    const error = await userErrorOf(() => open(fixture('none')));
    expect(error.message).toContain("data.kinds.lists: column 'lists' of ");
    expect(error.message).toContain('has lists or tables in it');
    expect(error.remedy).toContain('"ignored"');
  });

  test('a row that lacks a number, where that is an error', async () => {
    const { message } = await userErrorOf(() => open(fixture('none'), { kinds, missing: { numbers: 'error' } }));
    expect(message).toContain("none.parquet, row 4: column 'float' has no value.");
  });

  test('a file without rows', async () => {
    expect((await userErrorOf(() => open(fixture('empty'), { kinds }))).message).toContain(
      'empty.parquet has no rows.',
    );
  });

  test('a file that is cut off', async () => {
    writeFileSync(join(folder, 'cut.parquet'), readFileSync(fixture('gzip')).subarray(0, 4000));
    const { message } = await userErrorOf(() => open('cut.parquet', { kinds }));
    expect(message).toMatch(/cut\.parquet is not usable: it cannot be read as Parquet: /);
  });

  test('a damaged page', async () => {
    const bytes = readFileSync(fixture('zstd'));
    bytes.fill(0x55, 4, 400);
    writeFileSync(join(folder, 'broken.parquet'), bytes);
    const { message } = await userErrorOf(() => open('broken.parquet', { kinds }));
    expect(message).toMatch(/broken\.parquet is not usable: it cannot be read as Parquet: /);
  });
});
