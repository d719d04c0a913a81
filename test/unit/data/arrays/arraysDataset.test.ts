import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Batch, Dataset } from '../../../../server/data/dataset.ts';
import { openDataset } from '../../../../server/data/openDataset.ts';
import { encodeSafetensors, type Safetensor } from '../../../../server/formats/safetensors.ts';
import type { DataConfig } from '../../../../server/protocol/experiment/schema.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { npy } from '../../../fixtures/npy.ts';

type ArraysConfig = Extract<DataConfig, { type: 'arrays' }>;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'deeptwist-arrays-'));
  const files = {
    'x.npy': npy(Float32Array.of(0, 1, 2, 3, 4, 5), [3, 2]),
    'x8.npy': npy(Float64Array.of(0.1, 1, 2, 3, 4, 5), [3, 2]),
    'bytes.npy': npy(Uint8Array.of(0, 255, 2, 3, 4, 5), [3, 2]),
    'tokens.npy': npy(Int32Array.of(7, 1, 2, 3, 4, 5), [3, 2]),
    'wide.npy': npy(new Float32Array(9), [3, 3]),
    'y.npy': npy(BigInt64Array.of(2n, 0n, -1n), [3]),
    'yb.npy': npy(Uint8Array.of(1, 0, 1), [3], '|b1'),
    'y4.npy': npy(BigInt64Array.of(2n, 0n, 1n, 1n), [4]),
    'huge.npy': npy(BigInt64Array.of(0n, 2n ** 31n, 0n), [3]),
    'sound.npy': npy(Int16Array.of(-300, 1, 2, 3, 4, 5), [3, 2]),
    'y2.npy': npy(Uint16Array.of(2, 0, 60000), [3]),
    'y4u.npy': npy(Uint32Array.of(2, 0, 1), [3]),
    'y8u.npy': npy(BigUint64Array.of(2n, 0n, 1n), [3]),
    'huge4.npy': npy(Uint32Array.of(0, 2 ** 31, 0), [3]),
    'nan.npy': npy(Float32Array.of(0, 1, 2, NaN, 4, 5), [3, 2]),
    'beyond.npy': npy(Float64Array.of(0, 1, 2, 3, 1e300, 5), [3, 2]),
    'ynan.npy': npy(Float32Array.of(0, -Infinity, 2), [3]),
    'none.npy': npy(new Float32Array(0), [0, 2]),
    'one.npy': npy(Float32Array.of(1), []),
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  writeFileSync(join(folder, 'both.npz'), zipSync({ 'x.npy': files['x.npy'], 'y.npy': files['y.npy'] }));
  const tensors = new Map<string, Safetensor>([
    ['x', { dtype: 'F32', shape: [3, 2], data: Float32Array.of(0, 1, 2, 3, 4, 5) }],
    ['y', { dtype: 'I64', shape: [3], data: BigInt64Array.of(2n, 0n, -1n) }],
  ]);
  writeFileSync(join(folder, 'both.safetensors'), encodeSafetensors(tensors));
  writeFileSync(join(folder, 'broken.safetensors'), 'broken');
  const fortran = fileURLToPath(new URL('../../formats/fixtures/fortran.npy', import.meta.url));
  copyFileSync(fortran, join(folder, 'fortran.npy'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Paths {
  inputs?: string;
  targets?: string;
}
function open({ inputs = 'x.npy', targets = 'y.npy' }: Paths, test: Paths = {}): Promise<Dataset> {
  const train = { inputs, targets };
  return openDataset(arrays({ train, test: { ...train, ...test } }), folder);
}

/** The settings with their defaults. */
function arrays(settings: Partial<ArraysConfig> & Pick<ArraysConfig, 'train'>): ArraysConfig {
  return { type: 'arrays', split: { validation: 0 }, seed: 1, ...settings };
}

async function first(data: Dataset): Promise<Batch> {
  for await (const batch of data.test.batches(2)) return batch;
  throw new Error('There is no batch.');
}

describe('element types become float32 or int32', () => {
  test.each<[string, Paths, { inputs: unknown; targets: unknown }]>([
    ['float32 and int64', {}, { inputs: Float32Array.of(0, 1, 2, 3), targets: Int32Array.of(2, 0) }],
    ['float64', { inputs: 'x8.npy' }, { inputs: Float32Array.of(0.1, 1, 2, 3), targets: Int32Array.of(2, 0) }],
    ['bytes', { inputs: 'bytes.npy' }, { inputs: Float32Array.of(0, 255, 2, 3), targets: Int32Array.of(2, 0) }],
    ['int32', { inputs: 'tokens.npy' }, { inputs: Int32Array.of(7, 1, 2, 3), targets: Int32Array.of(2, 0) }],
    ['booleans', { targets: 'yb.npy' }, { inputs: Float32Array.of(0, 1, 2, 3), targets: Int32Array.of(1, 0) }],
    [
      'int16 and uint16',
      { inputs: 'sound.npy', targets: 'y2.npy' },
      { inputs: Float32Array.of(-300, 1, 2, 3), targets: Int32Array.of(2, 0) },
    ],
    ['uint32', { targets: 'y4u.npy' }, { inputs: Float32Array.of(0, 1, 2, 3), targets: Int32Array.of(2, 0) }],
    ['uint64', { targets: 'y8u.npy' }, { inputs: Float32Array.of(0, 1, 2, 3), targets: Int32Array.of(2, 0) }],
    [
      'tensors of a safetensors file',
      { inputs: 'both.safetensors:x', targets: 'both.safetensors:y' },
      { inputs: Float32Array.of(0, 1, 2, 3), targets: Int32Array.of(2, 0) },
    ],
    [
      'an archive',
      { inputs: 'both.npz:x', targets: 'both.npz:y' },
      { inputs: Float32Array.of(0, 1, 2, 3), targets: Int32Array.of(2, 0) },
    ],
  ])('%s', async (_, paths, expected) => {
    const { size, inputs, targets } = await first(await open(paths));
    expect({ size, inputs: inputs[0], targets: targets[0] }).toEqual({ size: 2, ...expected });
  });
});

test.each<[Paths, unknown, unknown]>([
  [{ inputs: 'bytes.npy' }, Float32Array.of(0, 255, 2, 3, 4, 5), Int32Array.of(2, 0, -1)],
  [{ inputs: 'x8.npy', targets: 'yb.npy' }, Float32Array.of(0.1, 1, 2, 3, 4, 5), Int32Array.of(1, 0, 1)],
])('batches to train on have the same element types: %o', async (paths, inputs, targets) => {
  const stream = await (await open(paths)).openTraining({ batchSize: 3, seed: 1, step: 0 });
  const batch = await stream.next();
  const sorted = [...batch.inputs, ...batch.targets].map((values) => values.slice().sort());
  expect(sorted).toEqual([inputs, targets].map((values) => (values as Float32Array).slice().sort()));
});

describe('values that are not finite', () => {
  test.each<[Paths, string]>([
    [{ inputs: 'nan.npy' }, 'data.train.inputs: nan.npy: sample 1 has NaN at [1].'],
    [{ inputs: 'beyond.npy' }, 'data.train.inputs: beyond.npy: sample 2 has 1e+300, which is beyond float32, at [0].'],
    [{ targets: 'ynan.npy' }, 'data.train.targets: ynan.npy: sample 1 has -Infinity.'],
  ])('are refused in what is trained on: %o', async (paths, message) => {
    const error = await userErrorOf(() => open(paths));
    expect(error.message).toBe(message);
  });

  test('are told in what is measured on', async () => {
    const data = await open({}, { inputs: 'nan.npy' });
    expect(data.test.warning).toMatch(/^data\.test\.inputs: nan\.npy: sample 1 has NaN at \[1\];/);
    expect(data.train.warning).toBeUndefined();
  });
});

test('axis 0 is the sample, also of an array in Fortran order', async () => {
  const data = await open({ inputs: 'fortran.npy', targets: 'fortran.npy' });
  expect(data.inputs).toEqual([{ shape: [3, 4], dtype: 'float32' }]);
  expect((await first(data)).inputs[0][1]).toBe(-4);
  expect(data.description).toBe('Arrays: 2 training, 2 test samples');
});

describe('several inputs and targets', () => {
  const named = { inputs: { b: 'bytes.npy', a: 'x.npy' }, targets: { kind: 'y.npy', size: 'yb.npy' } };

  test('have names, and are in the order of these', async () => {
    const data = await openDataset(
      arrays({ train: named, test: { ...named, inputs: { a: 'x.npy', b: 'x8.npy' } } }),
      folder,
    );
    expect(data.inputs).toEqual([
      { name: 'a', shape: [2], dtype: 'float32' },
      { name: 'b', shape: [2], dtype: 'float32' },
    ]);
    expect(data.targets.map(({ name }) => name)).toEqual(['kind', 'size']);
    const { inputs, targets } = await first(data);
    expect(inputs).toEqual([Float32Array.of(0, 1, 2, 3), Float32Array.of(0.1, 1, 2, 3)]);
    expect(targets).toEqual([Int32Array.of(2, 0), Int32Array.of(1, 0)]);
    expect(data.countLabels?.(3, 1)).toEqual([1, 2, 0]);
  });

  test.each([
    [{ inputs: { a: 'x.npy', b: 'no.npy' } }, /no\.npy does not exist/, /data\.train\.inputs\.b/],
    [{ targets: { kind: 'y.npy', size: 'y4.npy' } }, /data\.train: x\.npy has 3 samples, but y4\.npy has 4/, /Axis 0/],
  ])('are refused with the name of the setting: %j', async (change, message, remedy) => {
    const error = await userErrorOf(() => openDataset(arrays({ train: { ...named, ...change }, test: named }), folder));
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  test('must have the same names in all splits', async () => {
    const error = await userErrorOf(() =>
      openDataset(arrays({ train: named, test: { ...named, targets: { kind: 'y.npy' } } }), folder),
    );
    expect(error.message).toMatch(/data\.test\.targets has samples that are 'kind' int32 of shape \[\];/);
  });
});

describe('a split by fractions', () => {
  const labels = Int32Array.from({ length: 100 }, (_, i) => (i % 10 === 0 ? 1 : 0));
  const numbers = Float32Array.from({ length: 200 }, (_, i) => i);
  const open = (settings: Partial<ArraysConfig> = {}, targets = 'labels.npy') => {
    writeFileSync(join(folder, 'labels.npy'), npy(labels, [100]));
    writeFileSync(join(folder, 'numbers.npy'), npy(numbers, [100, 2]));
    const train = { inputs: 'numbers.npy', targets };
    return openDataset(arrays({ train, split: { validation: 0.1, test: 0.2 }, ...settings }), folder);
  };
  const rowsOf = async (split: Dataset['test']) => {
    const rows: number[] = [];
    for await (const { inputs, targets, size } of split.batches(7))
      for (let i = 0; i < size; i++) {
        const row = inputs[0][2 * i] / 2;
        expect(inputs[0][2 * i + 1]).toBe(2 * row + 1);
        if (targets[0] instanceof Int32Array) expect(targets[0][i]).toBe(labels[row]);
        rows.push(row);
      }
    return rows;
  };

  test('has every sample once, of each class the same fraction', async () => {
    const data = await open();
    const parts = await Promise.all([data.train, data.validation!, data.test].map(rowsOf));
    expect(parts.map((rows) => [rows.length, rows.filter((row) => labels[row] === 1).length])).toEqual([
      [70, 7],
      [10, 1],
      [20, 2],
    ]);
    expect(parts.flat().sort((a, b) => a - b)).toEqual([...labels.keys()]);
    expect(data.countLabels?.(2, 0)).toEqual([63, 7]);
  });

  test('depends on data.seed alone', async () => {
    const [once, twice, other] = await Promise.all([open(), open(), open({ seed: 2 })]);
    const [a, b, c] = await Promise.all([once, twice, other].map(({ test }) => rowsOf(test)));
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  test('may take the validation alone, and targets that are no classes', async () => {
    const test = { inputs: 'x.npy', targets: 'x.npy' };
    const data = await open({ test, split: { validation: 0.25 } }, 'numbers.npy');
    expect([data.train.samples, data.validation?.samples, data.test.samples]).toEqual([75, 25, 3]);
  });

  test('must leave something to each split', async () => {
    const error = await userErrorOf(() => open({ split: { validation: 0.001, test: 0.5 } }));
    expect(error.message).toMatch(/data\.split\.validation: of 100 samples, none is left for the validation split/);
    const nothing = await userErrorOf(() => open({ split: { validation: 0.5, test: 0.5 } }));
    expect(nothing.message).toMatch(/none is left to train on/);
  });
});

test('a validation split is there when the experiment names one', async () => {
  const split = { inputs: 'x.npy', targets: 'y.npy' };
  const data = await openDataset(arrays({ train: split, test: split, validation: split }), folder);
  expect(data.validation?.samples).toBe(3);
  expect((await open({})).validation).toBeUndefined();
});

describe('what does not fit is refused with the setting and the file', () => {
  test.each<[string, Paths, Paths, RegExp]>([
    ['file missing', { inputs: 'no.npy' }, {}, /no\.npy does not exist/],
    ['no array', { inputs: 'both.npz' }, {}, /data\.train\.inputs: both\.npz has arrays by their names/],
    [
      'no tensor',
      { inputs: 'both.safetensors' },
      {},
      /data\.train\.inputs: both\.safetensors has arrays by their names/,
    ],
    [
      'another tensor',
      { inputs: 'both.safetensors:z' },
      {},
      /both\.safetensors is not usable: it has no tensor 'z'; it has y, x/,
    ],
    ['no safetensors', { inputs: 'broken.safetensors:x' }, {}, /broken\.safetensors is not usable: it has 6 bytes/],
    ['counts differ', { targets: 'y4.npy' }, {}, /data\.train: x\.npy has 3 samples, but y4\.npy has 4/],
    ['wide labels', { targets: 'huge.npy' }, {}, /huge\.npy is not usable: element 1 is 2147483648/],
    ['wide labels without sign', { targets: 'huge4.npy' }, {}, /huge4\.npy is not usable: element 1 is 2147483648/],
    ['no samples', { inputs: 'none.npy' }, {}, /none\.npy is not usable: its shape is \[0,2\]/],
    ['no axes', { inputs: 'one.npy' }, {}, /one\.npy is not usable: it is a single number/],
    [
      'splits differ',
      {},
      { inputs: 'wide.npy' },
      /data\.test\.inputs has samples .*\[3\]; data\.train\.inputs has .*\[2\]/,
    ],
    ['types differ', {}, { inputs: 'tokens.npy' }, /data\.test\.inputs has samples that are int32/],
  ])('%s', async (_, train, test, message) => {
    const error = await userErrorOf(() => open(train, test));
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeTruthy();
  });
});
