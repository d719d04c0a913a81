import { describe, expect, test } from 'vitest';
import { quantize } from '../../../../server/compression/methods/quantize/quantize.ts';
import { truncateRank } from '../../../../server/compression/methods/lowRank/lowRank.ts';
import { matrixViewOf, type MatrixView } from '../../../../server/compression/targets/matrixView.ts';
import { encodeOnnxModel } from '../../../../server/formats/onnx.ts';
import { Random } from '../../../../server/formats/random.ts';
import type { CompressionSetting } from '../../../../server/protocol/run/events.ts';
import { elementCount } from '../../../../server/protocol/shape.ts';
import { findForms, type StoredForm } from '../../../../server/export/storedForm.ts';
import { WeightDecoder } from '../../../../server/export/onnx/weightDecoder.ts';
import { runOnnx } from './runOnnx.ts';

function randomWeight(shape: readonly number[], seed = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: elementCount(shape) }, () => random.uniform() - 0.5);
}

/** A file whose one output is the weight. */
function fileOf(shape: readonly number[], values: Float32Array, view: MatrixView, form: StoredForm) {
  const decoder = new WeightDecoder();
  decoder.add({ name: 'w', shape, values, view }, form);
  return {
    inputs: [],
    outputs: [{ name: 'w', type: 'float32' as const, shape }],
    initializers: decoder.initializers,
    nodes: decoder.nodes,
  };
}

async function decoded(shape: readonly number[], values: Float32Array, view: MatrixView, form: StoredForm) {
  const { w } = await runOnnx(fileOf(shape, values, view, form));
  expect(w.dims).toEqual(shape);
  return w.data as Float32Array;
}

/** The form that is found in the floats. */
async function found(values: Float32Array, view: MatrixView, setting: CompressionSetting): Promise<StoredForm> {
  const form = (await findForms([{ name: 'w', values, view, setting }])).of('w');
  if (!form) throw new Error('No small form was found.');
  return form;
}

describe('a pruned weight in a file', () => {
  test.each([
    ['a few zeros', 0.3],
    ['half', 0.5],
    ['most', 0.98],
    ['nearly all, with gaps longer than a byte tells', 0.9999],
    ['all', 1],
  ])('is decoded to the bit: %s', async (_, rate) => {
    const shape = [37, 411];
    const view = matrixViewOf(shape, 'kernel');
    const values = randomWeight(shape);
    const random = new Random(2);
    values.forEach((__, i) => (values[i] = random.uniform() < rate ? 0 : values[i]));
    expect(await decoded(shape, values, view, { form: 'sparse' })).toEqual(values);
  });

  test('begins and ends with zeros or without', async () => {
    for (const values of [
      [0, 0, 1, 2, 0, 0, 0, 0, 0],
      [1, 0, 0, 0, 0, 0, 0, 0, 3],
      [...Array<number>(255).fill(0), 5],
      [...Array<number>(256).fill(0), 5, ...Array<number>(600).fill(0)],
    ]) {
      const shape = [values.length, 1];
      const weight = Float32Array.from(values);
      expect(await decoded(shape, weight, matrixViewOf(shape, 'kernel'), { form: 'sparse' })).toEqual(weight);
    }
  });

  test('of 98% zeros takes 37 times fewer bytes, its decoder included', () => {
    const shape = [784, 300];
    const values = randomWeight(shape).map((value) => (Math.abs(value) < 0.49 ? 0 : value));
    const file = encodeOnnxModel(fileOf(shape, values, matrixViewOf(shape, 'kernel'), { form: 'sparse' }));
    expect((4 * values.length) / file.length).toBeGreaterThan(37);
  });
});

describe('a quantized weight in a file', () => {
  const weights = [
    { what: 'a dense kernel', shape: [61, 43], weight: 'kernel' },
    { what: 'an embedding', shape: [43, 61], weight: 'embeddings' },
    { what: 'a convolution', shape: [3, 3, 16, 10], weight: 'kernel' },
    { what: 'a transposed convolution', shape: [3, 3, 10, 16], weight: 'kernel', layerClass: 'Conv2DTranspose' },
  ];
  const cases = weights.flatMap((weight) =>
    [1, 2, 3].flatMap((bits) => (['row', 'matrix'] as const).map((scales) => ({ ...weight, bits, scales }))),
  );
  test.each(cases)('is decoded: $what, $bits bits, scales of each $scales', async (weight) => {
    const { shape, bits, scales } = weight;
    const view = matrixViewOf(shape, weight.weight, weight.layerClass);
    const values = randomWeight(shape);
    quantize(values, view, { bits, scales, algorithm: 'alternating', iterations: 10 });
    const form = await found(values, view, { bits });
    expect(form).toMatchObject({ form: 'binary-codes', bits });
    const actual = await decoded(shape, values, view, form);
    // A sum of scales is rounded to float32 once more.
    for (const [i, value] of values.entries()) expect(Math.abs(actual[i] - value)).toBeLessThan(1e-6);
  });

  test('of 2 bits takes 15 times fewer bytes, its decoder included', async () => {
    const shape = [784, 300];
    const view = matrixViewOf(shape, 'kernel');
    const values = randomWeight(shape);
    quantize(values, view, { bits: 2, scales: 'row', algorithm: 'alternating', iterations: 2 });
    const file = encodeOnnxModel(fileOf(shape, values, view, await found(values, view, { bits: 2 })));
    expect((4 * values.length) / file.length).toBeGreaterThan(15);
  });

  test('is stored as floats where it has more levels than codes', async () => {
    const shape = [20, 30];
    const forms = await findForms([
      { name: 'w', values: randomWeight(shape), view: matrixViewOf(shape, 'kernel'), setting: { bits: 2 } },
    ]);
    expect(forms.of('w')).toBeUndefined();
  });
});

describe('a weight of low rank in a file', () => {
  test.each([
    ['a dense kernel', [61, 43], 'kernel', undefined],
    ['an embedding', [61, 43], 'embeddings', undefined],
    ['a transposed convolution', [3, 3, 20, 16], 'kernel', 'Conv2DTranspose'],
  ])('is the product of its factors: %s', async (_, shape, name, layerClass) => {
    const view = matrixViewOf(shape, name, layerClass);
    const values = randomWeight(shape);
    await truncateRank(values, view, 4);
    const form = await found(values, view, { rank: 4 });
    expect(form.form).toBe('factors');
    const actual = await decoded(shape, values, view, form);
    for (const [i, value] of values.entries()) expect(Math.abs(actual[i] - value)).toBeLessThan(1e-5);
  });

  test('is stored as floats where it has a higher rank', async () => {
    const shape = [20, 30];
    const forms = await findForms([
      { name: 'w', values: randomWeight(shape), view: matrixViewOf(shape, 'kernel'), setting: { rank: 4 } },
    ]);
    expect(forms.of('w')).toBeUndefined();
  });
});
