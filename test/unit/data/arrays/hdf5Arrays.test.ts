/** @file Datasets of HDF5 files as arrays; the files are h5py's (`test/unit/formats/fixtures/hdf5/make_fixtures.py`). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openArrays } from '../../../../server/data/arrays/arraysDataset.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';

const folder = fileURLToPath(new URL('../../formats/fixtures/hdf5/', import.meta.url));
const open = (inputs: string, targets: string, budget?: number) => {
  const arrays = { inputs, targets };
  return openArrays({ type: 'arrays', train: arrays, test: arrays, split: { validation: 0 }, seed: 1 }, folder, budget);
};

async function contentOf(inputs: string, targets: string, budget?: number) {
  const data = await open(inputs, targets, budget);
  const [{ dtype, shape }] = data.inputs;
  const values: number[] = [];
  for await (const batch of data.test.batches(1)) values.push(...batch.inputs[0]);
  await data.close();
  return { dtype, shape, values };
}

const six = [-2, -1, 0, 1, 2, 3];
test.each<[string, string, number[]]>([
  ...['f2', 'f4', 'f8', 'i1', 'i2', 'bf16', 'big-endian'].map((name): [string, string, number[]] => [
    name,
    'float32',
    six,
  ]),
  ...['i4', 'i8', 'big-endian-i8'].map((name): [string, string, number[]] => [name, 'int32', six]),
  ['u1', 'float32', [0, 1, 2, 3, 4, 5]],
  ['u8', 'int32', [0, 1, 2, 3, 4, 5]],
  ['bool', 'float32', [1, 0, 1, 0, 1, 0]],
])('elements of the type %s become %s, in memory and by rows', async (name, dtype, values) => {
  const reference = `all-types.h5:types/${name}`;
  expect(await contentOf(reference, 'all-types.h5:types/i4')).toEqual({ dtype, shape: [3], values });
  expect(await contentOf(reference, 'all-types.h5:/types/i4', 0)).toEqual({ dtype, shape: [3], values });
});

test.each(['contiguous', 'chunked', 'gzip', 'compact'])('a dataset that is stored %s is read by rows', async (name) => {
  const values = Array.from({ length: 60 }, (_, i) => i);
  expect((await contentOf(`layouts.h5:${name}`, 'layouts.h5:integers', 0)).values).toEqual(values);
});

test.each<[string, RegExp]>([
  ['all-types.h5', /data\.train\.inputs: all-types\.h5 has arrays by their names/],
  ['all-types.h5:types/f16', /all-types\.h5 is not usable: it has no dataset 'types\/f16'; it has /],
  ['all-types.h5:others/complex', /its dataset 'others\/complex' holds compound, not numbers/],
  ['all-types.h5:names', /its dataset 'names' holds string, not numbers/],
  ['all-types.h5:scalar', /it is a single number; axis 0 must be the sample/],
  ['all-types.h5:empty', /its shape is \[0,3\]: it has no samples/],
])('%s is refused', async (inputs, message) => {
  const error = await userErrorOf(() => open(inputs, 'all-types.h5:types/i4'));
  expect(error.message).toMatch(message);
  expect(error.remedy).toBeTruthy();
});

test('a file that is no HDF5 is named', async () => {
  const path = join(await temporaryFolder(), 'x.h5');
  await writeFile(path, 'nothing');
  const error = await userErrorOf(() => open(`${path}:a`, 'all-types.h5:types/i4'));
  expect(error.message).toMatch(/x\.h5 is not usable: it is no HDF5 file/);
});
