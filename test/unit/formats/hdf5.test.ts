import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sourceOf } from '../../../server/formats/byteSource.ts';
import { elementTypes } from '../../../server/formats/elementTypes.ts';
import { FormatError } from '../../../server/formats/formatError.ts';
import { Hdf5File, type Hdf5Dataset } from '../../../server/formats/hdf5.ts';
import { hdf5Rows } from '../../../server/formats/hdf5Rows.ts';
import { UserError } from '../../../server/protocol/userError.ts';

const bytesOf = (name: string) => readFileSync(new URL(`fixtures/hdf5/${name}.h5`, import.meta.url));
const open = (name: string) => Hdf5File.open(sourceOf(bytesOf(name)));

function find(file: Hdf5File, path: string): Hdf5Dataset {
  const dataset = file.dataset(path);
  if (!dataset) throw new Error(`There is no ${path}.`);
  return dataset;
}

function numbers(dataset: Hdf5Dataset, bytes: Uint8Array): number[] {
  if (dataset.type === undefined || dataset.type === 'string') throw new Error(`${dataset.path} has no numbers.`);
  return [...elementTypes[dataset.type].decode(bytes)];
}

const read = (file: Hdf5File, path: string, begin?: number, end?: number) =>
  numbers(find(file, path), file.read(find(file, path), begin, end));

const types = {
  ...{ f2: 'float16', f4: 'float32', f8: 'float64', i1: 'int8', i2: 'int16', i4: 'int32', i8: 'int64' },
  ...{ u1: 'uint8', u2: 'uint16', u4: 'uint32', u8: 'uint64', bool: 'bool', bf16: 'bfloat16' },
  ...{ 'big-endian': 'float32', 'big-endian-i8': 'int64' },
};

test.each(Object.entries(types))('reads the element type %s, which h5py wrote, as %s', async (name, type) => {
  const file = await open('all-types');
  const dataset = find(file, `types/${name}`);
  expect(dataset).toMatchObject({ shape: [2, 3], type, kind: type });
  const expected =
    name === 'bool' ? [1, 0, 1, 0, 1, 0] : name.startsWith('u') ? [0, 1, 2, 3, 4, 5] : [-2, -1, 0, 1, 2, 3];
  expect(numbers(dataset, file.read(dataset))).toEqual(expected);
  file.close();
});

test('reads scalars, datasets without elements, and texts', async () => {
  const file = await open('all-types');
  expect(find(file, 'scalar').shape).toEqual([]);
  expect(read(file, 'scalar')).toEqual([2.5]);
  expect(find(file, 'empty').shape).toEqual([0, 3]);
  expect(read(file, 'empty')).toEqual([]);
  expect(find(file, 'nothing').shape).toEqual([0]);
  expect(file.texts(find(file, 'names'))).toEqual(['a', 'bé', '']);
  expect(file.texts(find(file, 'fixed'))).toEqual(['ab', 'c']);
  expect(() => file.texts(find(file, 'scalar'))).toThrow("'scalar' holds float32, not texts");
  file.close();
});

test('names the kind of elements that are no numbers', async () => {
  const file = await open('all-types');
  expect(find(file, 'others/records')).toMatchObject({ type: undefined, kind: 'compound' });
  expect(() => file.read(find(file, 'others/complex'))).toThrow("'others/complex' holds compound, not numbers");
  expect(() => file.read(find(file, 'names'))).toThrow("'names' holds string, not numbers");
  file.close();
});

test('reads attributes of the root, of groups and of datasets', async () => {
  const file = await open('all-types');
  const { long, ...attributes } = Object.fromEntries(file.attributes(''));
  expect(attributes).toEqual({ text: 'Grüße', texts: ['a', 'b'], bytes: ['ab', 'c'], number: 7, numbers: [0, 1, 2] });
  expect(long).toHaveLength(70_000);
  expect([...file.attributes('types')]).toEqual([['of', 'types']]);
  expect([...file.attributes('types/bf16')]).toEqual([['dtype', 'bfloat16']]);
  expect(file.attributes('missing').size).toBe(0);
  file.close();
});

test('follows links within the file, each group once, and none to other files', async () => {
  const file = await open('all-types');
  const paths = file.datasets.map(({ path }) => path);
  expect(paths).toContain('link');
  expect(read(file, 'link')).toEqual([2.5]);
  expect(paths).not.toContain('outside');
  expect(paths).not.toContain('nowhere');
  expect(paths.filter((path) => path.startsWith('types/loop/'))).toEqual([]);
  file.close();
});

const rows = (begin: number, end: number, width = 5) =>
  Array.from({ length: end - begin }, (_, row) =>
    Array.from({ length: width }, (_, column) => 5 * (begin + row) + column),
  ).flat();

test.each(['contiguous', 'chunked', 'gzip', 'compact', 'integers'])(
  'reads the layout %s, whole and by rows',
  async (name) => {
    const file = await open('layouts');
    expect(read(file, name)).toEqual(rows(0, 12));
    expect(read(file, name, 4, 11)).toEqual(rows(4, 11));
    expect(read(file, name, 11, 12)).toEqual(rows(11, 12));
    expect(read(file, name, 3, 3)).toEqual([]);
    file.close();
  },
);

test('reads what szip compressed, and elements that were never written', async () => {
  const file = await open('layouts');
  expect(read(file, 'szip', 2, 9)).toEqual(rows(2, 9, 4));
  expect(read(file, 'part', 2, 3)).toEqual([3, 3, 3, 3, 3]);
  file.close();
});

test('reads files of the latest version of the format', async () => {
  const file = await open('latest');
  expect(read(file, 'gzip', 4, 11)).toEqual(rows(4, 11));
  expect(read(file, 'growing')).toEqual(rows(0, 12));
  expect(read(file, 'group/11')).toEqual([11]);
  expect(file.attributes('group').get('attribute 11')).toBe(11);
  file.close();
});

test('reads parts of whole chunks that make up the dataset', async () => {
  const file = await open('layouts');
  const dataset = find(file, 'gzip');
  expect(dataset.chunkRows).toBe(5);
  expect([...file.parts(dataset)].flatMap((part) => numbers(dataset, part))).toEqual(rows(0, 12));
  file.close();
});

test('reads only the ranges of the file that it needs', async () => {
  const { module, File } = await import('h5wasm').then(async ({ ready, File }) => ({ module: await ready, File }));
  const written = new File('/large.h5', 'w');
  written.create_dataset({ name: 'x', data: new Float32Array(2 ** 20).fill(1), shape: [1024, 1024] });
  written.close();
  const bytes = module.FS.readFile('/large.h5');
  let read = 0;
  const source = {
    length: bytes.length,
    read: (begin: number, end: number) => ((read += end - begin), bytes.subarray(begin, end)),
  };
  const file = await Hdf5File.open(source);
  const dataset = find(file, 'x');
  expect(numbers(dataset, file.read(dataset, 1000, 1001))).toEqual(new Array(1024).fill(1));
  expect(read).toBeLessThan(bytes.length / 10);
  file.close();
});

test('keeps several files apart', async () => {
  const [one, another] = [await open('layouts'), await open('latest')];
  expect(read(one, 'gzip', 0, 1)).toEqual(rows(0, 1));
  one.close();
  expect(read(another, 'gzip', 1, 2)).toEqual(rows(1, 2));
  another.close();
});

test('names the filter that HDF5 itself does not have', async () => {
  const file = await open('layouts');
  const reading = () => file.read(find(file, 'lzf'));
  expect(reading).toThrow("'lzf' is compressed by the filter lzf, which is not part of HDF5 itself");
  expect(reading).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining("compression='gzip'") as string }) as Error,
  );
  file.close();
});

test('opens no other file for a dataset whose elements lie outside', async () => {
  const file = await open('layouts');
  expect(() => file.read(find(file, 'outside'))).toThrow(/^the numbers of 'outside' are in another file$/);
  expect(read(file, 'chunked', 0, 1)).toEqual(rows(0, 1));
  file.close();
});

test('reads a virtual dataset of the file itself, and tells of one whose numbers are elsewhere', async () => {
  const file = await open('elsewhere');
  expect(read(file, 'inside')).toEqual(rows(0, 12));
  for (const path of ['outside', 'nested'])
    expect(() => read(file, path)).toThrow(`'${path}' cannot be read: its numbers are in another file (part.h5)`);
  expect(() => read(file, 'missing-source')).toThrow("the dataset 'missing', which the file lacks");
  expect(find(file, 'outside').problem?.remedy).toContain('one dataset of this file');
  expect(() => hdf5Rows(file, 'outside')).toThrow(
    "its dataset 'outside' cannot be read: its numbers are in another file",
  );
  file.close();
});

test('reads fill values of a small dataset, and no more of them than the file could hold compressed', async () => {
  const file = await open('elsewhere');
  expect(read(file, 'small')).toEqual([2, 2, 2]);
  for (const path of ['unwritten', 'unwritten-chunks'])
    expect(() => file.parts(find(file, path)).next()).toThrow(/most were never written: the file has 6920/);
  file.close();
});

test('tells a file that is cut off, and what is none', async () => {
  const bytes = bytesOf('layouts');
  const opening = (content: Uint8Array) => Hdf5File.open(sourceOf(content));
  await expect(opening(bytes.subarray(0, 2000))).rejects.toThrow(`it is cut off: it should have ${bytes.length} bytes`);
  await expect(opening(new Uint8Array(100))).rejects.toThrow('it is no HDF5 file');
  await expect(opening(new Uint8Array(0))).rejects.toThrow('it is no HDF5 file');
  await expect(opening(new Uint8Array(100))).rejects.toThrow(FormatError);
});

test('throws what the source threw', async () => {
  const bytes = bytesOf('layouts');
  let hasChanged = false;
  const source = {
    length: bytes.length,
    read(begin: number, end: number) {
      if (hasChanged) throw new UserError('The file has changed.');
      return bytes.subarray(begin, end);
    },
  };
  const file = await Hdf5File.open(source);
  hasChanged = true;
  expect(() => file.read(find(file, 'contiguous'))).toThrow('The file has changed.');
  file.close();
});
