import { copyFileSync, readFileSync, symlinkSync, truncateSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { encodeOnnxModel } from '../../../server/formats/onnx.ts';
import { statisticsOf } from '../../../server/inspect/statistics.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { numbersOf, openedFiles, tensorOf } from './opened.ts';

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
/** By NumPy, of the arrays that fixtures/make_fixtures.py wrote with ONNX's library. */
const expected = JSON.parse(readFileSync(fixture('statistics.json'), 'utf8')) as Record<
  string,
  { dtype: string; shape: number[]; minimum: number; mean: number; deviation: number }
>;
const { open, path, write } = openedFiles();

test('tensors of all element types, as bytes and as the fields of their types, have the statistics that NumPy finds', async () => {
  const file = await open(fixture('all-types.onnx'));
  const found = await Promise.all(
    file.tensors.map(async (tensor) => {
      const { dtype, shape } = tensor;
      return [tensor.name, { dtype, shape, ...(await statisticsOf(tensor)) }] as const;
    }),
  );
  expect(found.map(([name]) => name).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { mean = NaN, deviation = NaN, ...rest }] of found) {
    const { mean: theirMean, deviation: theirDeviation, ...theirs } = expected[name];
    expect(rest, name).toEqual(theirs);
    // Both add in float64, in another order.
    expect(mean, name).toBeCloseTo(theirMean, 6);
    expect(deviation, name).toBeCloseTo(theirDeviation, 6);
  }
});

test('a sparse tensor has its numbers where its indices on each axis say', async () => {
  const tensor = tensorOf(await open(fixture('all-types.onnx')), 'sparse');
  expect(await numbersOf(tensor)).toEqual([0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -6]);
  expect(tensor.view).toEqual({ outer: 1, rows: 3, inner: 5 });
});

const FAR = 2 ** 25;

test.each<[string, number[], bigint[], RegExp]>([
  ['outside of it', [2, 3], [6n], /it has a number at 6 of 6, outside of it/],
  ['before the one before', [2, 3], [4n, 1n], /its indices do not ascend/],
  ['of another number of values', [2, 3], [1n, 2n, 3n], /its indices of int64 cannot be read/],
  ['that leave more zeros than can be filled in', [FAR, FAR], [0n], /most of them zeros that are not in the file/],
])('a sparse tensor with indices %s is told of', async (_, shape, indices, message) => {
  const values = new Float32Array(indices.length === 3 ? 1 : indices.length).fill(1);
  const content = encodeOnnxModel({
    ...{ inputs: [], outputs: [], initializers: [], nodes: [] },
    sparseInitializers: [{ name: 'w', shape, values, indices: BigInt64Array.from(indices) }],
  });
  const file = await open(write('w.onnx', content));
  const error = await userErrorOf(() => numbersOf(tensorOf(file, 'w')));
  expect(error.message).toMatch(message);
  expect(error.remedy).toBeTruthy();
});

test('the file tells of its producer, operators, inputs and outputs', async () => {
  const { format, metadata } = await open(fixture('all-types.onnx'));
  expect(format).toBe('ONNX');
  expect(Object.fromEntries(metadata)).toMatchObject({
    producer: 'fixtures 1',
    operators: 'ai.onnx 21',
    nodes: '4',
    'input x': 'float32 [batch, 784]',
    'output y': 'float32',
    author: 'nobody',
  });
});

test('external data are read from the file beside the model; texts are listed, and not read', async () => {
  const file = await open(fixture('external.onnx'));
  expect(await numbersOf(tensorOf(file, 'second'))).toEqual([0, 2, -5, 14, 0, 6.28125, -16, 8]);
  expect(tensorOf(file, 'texts')).toMatchObject({
    dtype: 'string',
    problem: expect.stringContaining('string') as string,
  });
});

test('external data that are missing, cut off, or outside of the folder of the model are told of at their tensors', async () => {
  copyFileSync(fixture('external.onnx'), path('model.onnx'));
  expect(tensorOf(await open(path('model.onnx')), 'first').problem).toContain('external.bin does not exist');
  copyFileSync(fixture('external.bin'), path('external.bin'));
  truncateSync(path('external.bin'), 40);
  const cut = await open(path('model.onnx'));
  expect(await numbersOf(tensorOf(cut, 'first'))).toHaveLength(8);
  expect(tensorOf(cut, 'second').problem).toContain('its bytes 32 to 64 are not in external.bin, which has 40');
  const other = readFileSync(fixture('external.onnx')).toString('latin1').replaceAll('external.bin', '/etc//passwd');
  const refused = await open(write('other.onnx', Buffer.from(other, 'latin1')));
  expect(tensorOf(refused, 'first').problem).toContain('is outside of the folder of the model');
});

test.runIf(process.platform !== 'win32')('a link out of the folder is not followed', async () => {
  copyFileSync(fixture('external.onnx'), path('model.onnx'));
  symlinkSync(fixture('external.bin'), path('external.bin'));
  expect(tensorOf(await open(path('model.onnx')), 'first').problem).toContain(
    'is a link out of the folder of the model',
  );
});

test('a message without a graph, and bytes that are no message, are no model', async () => {
  expect((await userErrorOf(() => open(write('a.onnx', Uint8Array.of(8, 8))))).message).toContain('it has no graph');
  expect((await userErrorOf(() => open(write('b.onnx', Uint8Array.of(58, 100, 1))))).message).toMatch(
    /a field of 100 bytes at byte 2 is cut off/,
  );
});
