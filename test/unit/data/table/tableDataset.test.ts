import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NumberFacts } from '../../../../server/data/dataset.ts';
import { SettingError } from '../../../../server/protocol/experiment/settingError.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { newFolder, openTable, rowsOf } from './tables.ts';

let folder: string;
beforeEach(() => void (folder = newFolder()));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);

/** A table for each split, so that it is known which rows are trained on. */
function open(train: string, test_: string, settings: Record<string, unknown> = {}) {
  write('train.csv', train);
  write('test.csv', test_);
  return openTable(folder, { files: { train: 'train.csv', test: 'test.csv' }, ...settings });
}

const pets = 'height,fur,kind\n1,short,cat\n3,long,dog\n5,short,dog\n7,none,cat\n';

describe('what a row becomes', () => {
  test('numbers are standardized by training, categories are one-hot, classes are sorted', async () => {
    const data = await open(pets, 'kind,fur,height\ndog,long,4\ncat,none,9\n');
    expect(data.classes).toEqual(['cat', 'dog']);
    expect(data.inputs).toEqual([{ shape: [4], dtype: 'float32' }]);
    expect(data.targets).toEqual([{ shape: [], dtype: 'int32' }]);
    expect(data.description).toBe(
      'Table of 1 column of numbers and 1 of categories, for 2 classes: 4 training, 2 test samples',
    );
    const deviation = Math.sqrt(5);
    expect(data.table).toEqual({
      columns: [
        { name: 'height', kind: 'number', mean: 4, deviation, missing: 4 },
        { name: 'fur', kind: 'category', encoding: 'one-hot', categories: ['long', 'none', 'short'] },
      ],
      target: { name: 'kind', kind: 'classes', classes: ['cat', 'dog'] },
    });
    expect(rowsOf(data.test)).toEqual([
      [0, 1, 0, 0, 1],
      [Math.fround(5 / deviation), 0, 1, 0, 0],
    ]);
    expect(data.warnings).toEqual([]);
  });

  test('categories may be numbers, and columns may be chosen, put in another order and ignored', async () => {
    const data = await open(pets, pets, { columns: ['fur', 'height'], categories: 'integer', standardize: 'none' });
    expect(rowsOf(data.train)).toEqual([
      [2, 1, 0],
      [0, 3, 1],
      [2, 5, 1],
      [1, 7, 0],
    ]);
    const only = await open(pets, pets, { kinds: { fur: 'ignored', height: 'category' } });
    expect(only.table?.columns).toEqual([
      { name: 'height', kind: 'category', encoding: 'one-hot', categories: ['1', '3', '5', '7'] },
    ]);
  });

  test('columns are inputs of a model by their names, one of them in several', async () => {
    const data = await open(pets, pets, {
      inputs: { wide: ['fur'], deep: ['height', 'fur'] },
      standardize: 'none',
      categories: 'integer',
    });
    expect(data.inputs).toEqual([
      { name: 'wide', shape: [1], dtype: 'float32' },
      { name: 'deep', shape: [2], dtype: 'float32' },
    ]);
    expect(rowsOf(data.train)).toEqual([
      [2, 1, 2, 0],
      [0, 3, 0, 1],
      [2, 5, 2, 1],
      [1, 7, 1, 0],
    ]);
    expect(data.table?.columns.map(({ name }) => name)).toEqual(['fur', 'height']);
    expect(data.table?.inputs).toEqual({ wide: ['fur'], deep: ['height', 'fur'] });
    const error = await userErrorOf(() => open(pets, pets, { inputs: { wide: ['hight'] } }));
    expect(error.message).toContain('data.inputs.wide[0]');
  });

  test('the target of a regression is a number, standardized only where that is asked for', async () => {
    const settings = { target: 'height', task: 'regression', kinds: { fur: 'ignored', kind: 'ignored' } };
    const table = 'x,height,fur,kind\n1,10,a,b\n2,30,a,b\n';
    const plain = await open(table, table, settings);
    expect(plain.targets).toEqual([{ shape: [1], dtype: 'float32' }]);
    expect(plain.classes).toBeUndefined();
    expect(rowsOf(plain.test)).toEqual([
      [-1, 10],
      [1, 30],
    ]);
    expect(rowsOf((await open(table, table, { ...settings, standardize: 'all' })).test)).toEqual([
      [-1, -1],
      [1, 1],
    ]);
  });

  test('classes that are numbers are sorted by their values', async () => {
    const data = await open('x,kind\n1,10\n2,9\n3,-1\n', 'x,kind\n1,9\n');
    expect(data.classes).toEqual(['-1', '9', '10']);
  });

  // The sum of ten 0.1 is 0.9999999999999999.
  test.each([5, 0.1, -0.1])('a number that never changes becomes 0, and keeps its unit: %d', async (value) => {
    const table = `x,kind\n${Array.from({ length: 10 }, (_, i) => `${value},${i % 2}`).join('\n')}\n`;
    const data = await open(table, `x,kind\n${value + 1},1\n`);
    expect(data.table?.columns[0]).toMatchObject({ mean: value, deviation: 1, missing: value });
    expect(rowsOf(data.train).map(([x]) => x)).toEqual(Array(10).fill(0));
    expect(rowsOf(data.test)).toEqual([[1, 1]]);
  });

  test('a category that training lacks is none of them, and told', async () => {
    const data = await open(pets, 'height,fur,kind\n4,curly,cat\n');
    expect(rowsOf(data.test)).toEqual([[0, 0, 0, 0, 0]]);
    expect(data.warnings).toEqual([
      "data: column 'fur' has 'curly' in the test split alone: there all its inputs are 0.",
    ]);
    const numbered = await open(pets, 'height,fur,kind\n4,curly,cat\n', { categories: 'integer' });
    expect(rowsOf(numbered.test)).toEqual([[0, 3, 0]]);
  });

  test('means and deviations are those of all rows, whatever the numbers', async () => {
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 2, maxLength: 40 }), async (values) => {
        const table = `x,kind\n${values.map((value, i) => `${value},${i % 2}`).join('\n')}`;
        const data = await open(table, table);
        const [{ mean, deviation }] = data.table!.columns as readonly NumberFacts[];
        const rows = rowsOf(data.train);
        // float32 has 24 bits: relative to the largest standardized value, of about the root of the count.
        rows.forEach(([x], i) =>
          expect(x * deviation + mean).toBeCloseTo(values[i], -Math.log10(2e-6 * Math.max(1, ...values.map(Math.abs)))),
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe('missing values', () => {
  const lacking = 'height,fur,kind\n1,NA,cat\n,long,dog\n2,long,dog\n9,long,cat\n';

  test.each([
    ['mean', 4],
    ['median', 2],
  ])('a number becomes the %s, a category one of its own', async (numbers, expected) => {
    const data = await open(lacking, 'height,fur,kind\n?,,cat\n', { missing: { numbers }, standardize: 'none' });
    expect(data.table?.columns[1]).toMatchObject({ categories: ['long', ''] });
    expect(rowsOf(data.train)[1]).toEqual([expected, 1, 0, 1]);
    expect(rowsOf(data.test)).toEqual([[expected, 0, 1, 0]]);
    expect(data.warnings).toEqual([
      `data: column 'height' lacks 2 of 5 values; they become ${expected} (data.missing).`,
      "data: column 'fur' lacks 2 of 5 values; they become a category of their own (data.missing).",
    ]);
  });

  test.each([
    ['numbers', "train.csv, line 3: column 'height' has no value."],
    ['categories', "train.csv, line 2: column 'fur' has no value."],
  ])('are an error where that is asked for: %s', async (which, message) => {
    const error = await userErrorOf(() => open(lacking, lacking, { missing: { [which]: 'error' } }));
    expect(error.message).toContain(message);
    expect(error.remedy).toBe('Write a value, or say in data.missing how it is replaced.');
  });

  test('which texts stand for one is a setting', async () => {
    const data = await open('x,kind\n-9,a\n1,b\n3,b\n', 'x,kind\n-9,a\n', { missing: { values: ['-9'] } });
    expect(data.table?.columns[0]).toMatchObject({ mean: 2 });
    expect(rowsOf(data.test)).toEqual([[0, 0]]);
  });

  test('an empty text is one, whatever else is', async () => {
    const table = 'x,fur,kind\n1,long,a\n3,-9,b\n,,b\n';
    const data = await open(table, table, { missing: { values: ['-9'] }, standardize: 'none' });
    expect(data.table?.columns).toMatchObject([{ missing: 2 }, { categories: ['long', ''] }]);
    expect(rowsOf(data.test)).toEqual([
      [1, 1, 0, 0],
      [3, 0, 1, 1],
      [2, 0, 1, 1],
    ]);
  });

  test('a target must not be missing', async () => {
    const { message, remedy } = await userErrorOf(() => open('x,kind\n1,a\n2,\n', 'x,kind\n1,a\n'));
    expect(message).toContain("train.csv, line 3: column 'kind' has no value.");
    expect(remedy).toContain('nothing can be learnt from a row without a target');
  });
});

describe('a table is divided by its seed, class by class', () => {
  const many = `x,kind\n${Array.from({ length: 100 }, (_, i) => `${i},${i < 80 ? 'a' : 'b'}`).join('\n')}\n`;
  const settings = { standardize: 'none', split: { validation: 0.1, test: 0.25 } };

  test('each split has the same fraction of each class, and each row is in one of them', async () => {
    write('table.csv', many);
    const data = await openTable(folder, settings);
    const parts = [data.train, data.validation, data.test].map((split) => rowsOf(split));
    expect(parts.map((rows) => rows.length)).toEqual([65, 10, 25]);
    expect(parts.map((rows) => rows.filter(([, label]) => label === 1).length)).toEqual([13, 2, 5]);
    expect(
      parts
        .flat()
        .map(([x]) => x)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test('another seed chooses others, the same seed the same', async () => {
    write('table.csv', many);
    const chosen = async (seed: number) => rowsOf((await openTable(folder, { ...settings, seed })).test);
    expect(await chosen(1)).toEqual(await chosen(1));
    expect(await chosen(2)).not.toEqual(await chosen(1));
  });

  test('a fifth is tested on where nothing is said; of files, a part of the training may be for validation', async () => {
    write('table.csv', many);
    expect((await openTable(folder)).test.samples).toBe(20);
    const data = await open(many, many, { split: { validation: 0.2 } });
    expect([data.train, data.validation!, data.test].map(({ samples }) => samples)).toEqual([80, 20, 100]);
  });

  test.each([
    [
      { validation: 0.5, test: 0.5 },
      'x,kind\n1,a\n2,a\n3,b\n4,b\n',
      'data.split: of 2 rows of a class, none is left to train on',
    ],
    [{ test: 0.1 }, 'x,kind\n1,a\n2,a\n3,b\n4,b\n', 'data.split.test: a fraction of 0.1 leaves it without a row'],
  ])('a split without rows is refused: %j', async (split, table, message) => {
    write('table.csv', table);
    expect((await userErrorOf(() => openTable(folder, { split }))).message).toBe(message);
  });
});

describe('how a file is written', () => {
  test.each([
    ['semicolons and commas before decimals', 'x;y;kind\n1,5;2;a\n2,5;2;b\n', { decimal: ',' }],
    ['tabs', 'x\ty\tkind\n1.5\t2\ta\n2.5\t2\tb\n', {}],
    ['a delimiter of its own', 'x::y::kind\n1.5::2::a\n2.5::2::b\n', { delimiter: '::' }],
    ['quotes, line ends within them, and spaces around', '"x", y ,kind\r\n1.5,"2",a\r\n\r\n 2.5 ,2,"b"', {}],
    ['a byte order mark', '\uFEFFx,y,kind\n1.5,2,a\n2.5,2,b\n', {}],
  ])('%s', async (_, table, settings) => {
    const data = await open(table, table, { standardize: 'none', ...settings });
    expect(rowsOf(data.train)).toEqual([
      [1.5, 2, 0],
      [2.5, 2, 1],
    ]);
  });

  test('a comma before decimals does not separate values, though it divides every row of numbers into more', async () => {
    const table = '1,5;2,0;0,5;a\n2,5;2,0;0,5;b\n';
    const settings = { header: false, target: 'column4', standardize: 'none', decimal: ',' };
    const expected = [
      [1.5, 2, 0.5, 0],
      [2.5, 2, 0.5, 1],
    ];
    expect(rowsOf((await open(table, table, settings)).train)).toEqual(expected);
    const quoted = table
      .replaceAll(',', '.')
      .replaceAll(';', ',')
      .replaceAll(/(\d)\.(\d)/g, '"$1,$2"');
    expect(rowsOf((await open(quoted, quoted, { ...settings, delimiter: ',' })).train)).toEqual(expected);
  });

  test('without a header, columns have numbers', async () => {
    const data = await open('1,a\n2,b\n', '2,b\n', { header: false, target: 'column2', standardize: 'none' });
    expect(rowsOf(data.test)).toEqual([[2, 1]]);
  });

  test('characters of several bytes may stand where the file is read in pieces', async () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `ü€😀${i % 3}`);
    const table = `x,kind\n${names.map((name, i) => `${i % 7},${name}`).join('\n')}\n`;
    const data = await open(table, table);
    expect(data.classes).toEqual(['ü€😀0', 'ü€😀1', 'ü€😀2']);
    expect(data.train.samples).toBe(20_000);
  });

  test('any values come back from quotes', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).map((value) => `<${value.replaceAll('\0', '')}>`);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(text, { minLength: 2, maxLength: 8 }), async (values) => {
        const quoted = values.map((value) => `"${value.replaceAll('"', '""')}"`);
        const table = `x,kind\n${quoted.map((value, i) => `${i},${value}`).join('\n')}\n`;
        expect((await open(table, table)).classes).toEqual([...values].sort((a, b) => (a < b ? -1 : 1)));
      }),
      { numRuns: 50 },
    );
  });
});

describe('what is wrong is named with its place', () => {
  const people = (age: string) =>
    `age,kind\n${Array.from({ length: 10 }, (_, i) => `${i === 4 ? age : 20 + i},${i % 2}`).join('\n')}\n`;

  test('a text among numbers', async () => {
    const error = await userErrorOf(() => open(people('forty'), people('1')));
    expect(error.message).toContain(
      "train.csv, line 6: column 'age' has 'forty', which is no number, and 9 other values are.",
    );
    expect(error.remedy).toBe(
      'Correct it, add it to data.missing.values where it stands for none, or set data.kinds.age to "category".',
    );
  });

  test.each([
    ['which is a number by setting', { kinds: { age: 'number' } }, people('forty'), people('1'), 'train.csv, line 6'],
    ['which is one in training', {}, people('1'), people('1e99'), 'test.csv, line 6'],
  ])('a text in a column %s', async (_, settings, train, split, place) => {
    const { message } = await userErrorOf(() => open(train, split, settings));
    expect(message).toContain(`${place}: column 'age' has '`);
    expect(message).toMatch(/', which is no number\.$/);
  });

  test('a point in a number, where decimals are behind a comma: it may divide thousands', async () => {
    const german = people('1.500').replaceAll(',', ';');
    const { message } = await userErrorOf(() => open(german, german, { decimal: ',' }));
    expect(message).toContain(
      "train.csv, line 6: column 'age' has '1.500', which is no number, and 9 other values are.",
    );
  });

  test('a text in the target of a regression', async () => {
    const table = 'x,kind\n1,2.5\n2,much\n';
    const { message, remedy } = await userErrorOf(() => open(table, table, { task: 'regression' }));
    expect(message).toContain("train.csv, line 3: column 'kind' has 'much', which is no number.");
    expect(remedy).toBe('Correct it, or set data.task to "classification" where the column has classes.');
  });

  test('numbers that are said to be categories are such', async () => {
    const data = await open(people('forty'), people('1'), { kinds: { age: 'category' } });
    expect(data.table?.columns[0]).toMatchObject({ kind: 'category' });
  });

  test('a target that is missing, with the nearest name', async () => {
    const error = await userErrorOf(() => open(pets, pets, { target: 'knid' }));
    expect(error).toBeInstanceOf(SettingError);
    expect(error.message).toMatch(/^data\.target: .*train\.csv has no column 'knid'; did you mean 'kind'\?$/);
    const { message } = await userErrorOf(() => open(pets, pets, { target: 'species' }));
    expect(message).toContain("has no column 'species', but height, fur, kind");
  });

  test.each([
    [{ columns: ['height', 'furr'] }, /^data\.columns\[1\]: .*did you mean 'fur'/],
    [{ kinds: { wings: 'number' } }, /^data\.kinds\.wings: .*but height, fur, kind/],
    [{ kinds: { height: 'ignored', fur: 'ignored' } }, /^data\.path: .*no column but the target/],
  ])('columns that are not there: %j', async (settings, message) => {
    expect((await userErrorOf(() => open(pets, pets, settings))).message).toMatch(message);
  });

  test('a column that the test lacks', async () => {
    const { message } = await userErrorOf(() => open(pets, 'height,kind\n1,cat\n'));
    expect(message).toMatch(/^data\.files: .*test\.csv has no column 'fur', but height, kind/);
  });

  test('a class that training lacks', async () => {
    const { message } = await userErrorOf(() => open(pets, 'height,fur,kind\n4,long,cat\n3,none,eel\n'));
    expect(message).toContain(
      "test.csv, line 3: column 'kind' has the class 'eel', which no row has that is trained on; the classes are cat, dog.",
    );
  });

  test.each([
    ['names', (i: number) => `name ${i}`, '40 different texts'],
    ['dates', (i: number) => `2026-01-${i + 1}`, '40 different texts'],
  ])('texts that hardly repeat are no categories: %s', async (_, text, message) => {
    const table = `x,kind\n${Array.from({ length: 40 }, (_value, i) => `${text(i)},${i % 2}`).join('\n')}\n`;
    const error = await userErrorOf(() => open(table, table));
    expect(error.message).toContain(`column 'x' of ${join(folder, 'train.csv')} has ${message}`);
    expect(error.remedy).toBe('Set data.kinds.x to "ignored", or to "category" where they are categories.');
    expect((await open(table, table, { kinds: { x: 'category' } })).inputs[0].shape).toEqual([40]);
  });

  test('a target of many numbers is no class', async () => {
    const table = `x,kind\n${Array.from({ length: 300 }, (_, i) => `${i % 5},${i / 7}`).join('\n')}\n`;
    const error = await userErrorOf(() => open(table, table));
    expect(error.message).toContain("data.target: column 'kind'");
    expect(error.remedy).toContain('Set data.task to "regression"');
  });

  test.each([
    [
      'a row that is too short',
      'x,y,kind\n1,2,a\n1,b\n',
      'train.csv is not usable: line 3 has 2 values, and there are 3 columns.',
    ],
    ['an empty file', '', 'train.csv is not usable: it is empty.'],
    ['a file of empty lines', '\n\n', 'train.csv is not usable: it has no rows.'],
    ['a header alone', 'x,kind\n', 'train.csv has no rows.'],
    ['names that are there twice', 'x,y,x,kind\n1,2,3,a\n', "its columns 1 and 3 have the same name, 'x'."],
    ['a quote that is not closed', 'x,kind\n1,"a\n2,b\n', 'train.csv is not usable: a quote is opened and not closed.'],
    ['a quote within a value', 'x,kind\n1,a\n2,"b"c\n', 'train.csv is not usable: line 3 has a quote within a value.'],
    ['one class', 'x,kind\n1,a\n2,a\n', "has one value, 'a'"],
    ['a column without values', 'x,y,kind\n1,,a\n2,,b\n', "column 'y' of "],
    ['a web page', '<!doctype html><html>', 'it is a web page, not the data.'],
    ['Latin 1', Buffer.from('x,kind\n1,caf\xe9\n', 'latin1'), 'it is not UTF-8: byte 12 is 0xE9.'],
    [
      'Latin 1 far behind',
      Buffer.from(`x,kind\n${'1,a\n'.repeat(7e4)}2,\xe9\n`, 'latin1'),
      'it is not UTF-8: byte 280009',
    ],
    ['UTF-16', Buffer.from('\uFEFFx,kind\n1,a\n', 'utf16le'), 'it is not UTF-8: byte 0 is 0xFF, as of UTF-16.'],
    ['a damaged Parquet file', 'PAR1 and no more', 'it cannot be read as Parquet: '],
  ])('%s', async (_, table, message) => {
    write('train.csv', table);
    const { message: got, remedy } = await userErrorOf(() => open(table as string, table as string));
    expect(got).toContain(message);
    expect(remedy).toBeTruthy();
  });

  test('a file that is not there', async () => {
    const { message } = await userErrorOf(() => openTable(folder, { path: 'none.csv' }));
    expect(message).toBe(`${join(folder, 'none.csv')} does not exist.`);
  });
});
