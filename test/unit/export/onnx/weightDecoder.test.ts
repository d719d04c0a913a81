import { describe, expect, test } from 'vitest';
import type { CompressibleWeight } from '../../../../server/compression/targets/targets.ts';
import { encodeOnnxModel } from '../../../../server/formats/onnx.ts';
import { Random } from '../../../../server/formats/random.ts';
import type { Compression } from '../../../../server/protocol/experiment/schema.ts';
import { decodePacked, encodePacked, type PackedWeight } from '../../../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../../../server/formats/packed/sparse.ts';
import { elementCount } from '../../../../server/protocol/shape.ts';
import { WeightDecoder, type WeightDecoderOptions } from '../../../../server/export/onnx/weightDecoder.ts';
import { createCompressor } from '../../compression/createCompressor.ts';
import { runOnnx } from './runOnnx.ts';

function randomWeight(shape: readonly number[], seed = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: elementCount(shape) }, () => random.uniform() - 0.5);
}

/** A file whose one output is the weight. */
function fileOf(weight: PackedWeight, options?: WeightDecoderOptions) {
  const decoder = new WeightDecoder(options);
  decoder.add('w', weight);
  return {
    inputs: [],
    outputs: [{ name: 'w', type: 'float32' as const, shape: weight.shape }],
    initializers: decoder.initializers,
    sparseInitializers: decoder.sparseInitializers,
    nodes: decoder.nodes,
  };
}

async function decoded(weight: PackedWeight, options?: WeightDecoderOptions) {
  const file = fileOf(weight, options);
  // ONNX has no graph whose output is a sparse initializer.
  const given = file.sparseInitializers.length > 0;
  const nodes = given ? [{ op: 'Identity', inputs: ['w'], outputs: ['copy'] }] : file.nodes;
  const outputs = file.outputs.map((value) => ({ ...value, name: given ? 'copy' : 'w' }));
  const [w] = Object.values(await runOnnx({ ...file, nodes, outputs }));
  expect(w.dims).toEqual(weight.shape);
  return w.data as Float32Array;
}

/** Weights compressed by a method, in place, in their packed form. */
async function packed(
  compression: Compression,
  weights: readonly Omit<CompressibleWeight, 'name' | 'layer'>[],
): Promise<PackedWeight[]> {
  const named = weights.map((weight, i) => ({ name: `w${i}/${weight.weight}`, layer: `w${i}`, ...weight }));
  const compressor = createCompressor(compression, named, { steps: 1, seed: 1 });
  await compressor.distort(1);
  return [...compressor.packed().values()];
}

const common = { policy: 'deeptwist', distortEvery: 1 } as const;

describe('a pruned weight in a file', () => {
  test.each([
    ['a few zeros', 0.3],
    ['half', 0.5],
    ['most', 0.98],
    ['nearly all, with gaps longer than a byte tells', 0.9999],
    ['all', 1],
  ])('is decoded to the bit: %s', async (_, rate) => {
    const shape = [37, 411];
    const values = randomWeight(shape);
    const random = new Random(2);
    values.forEach((__, i) => (values[i] = random.uniform() < rate ? 0 : values[i]));
    expect(await decoded(SparseWeight.of(shape, values))).toEqual(values);
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
      expect(await decoded(SparseWeight.of(shape, weight))).toEqual(weight);
    }
  });

  test('of 98% zeros takes 37 times fewer bytes, its decoder included', () => {
    const shape = [784, 300];
    const values = randomWeight(shape).map((value) => (Math.abs(value) < 0.49 ? 0 : value));
    const file = encodeOnnxModel(fileOf(SparseWeight.of(shape, values)));
    expect((4 * values.length) / file.length).toBeGreaterThan(37);
  });
});

describe('a pruned weight as a sparse initializer', () => {
  const sparseInitializers = true;
  const pruned = (shape: readonly number[], kept: number) => {
    const random = new Random(3);
    const values = randomWeight(shape).map((value) => (random.uniform() < kept ? value : 0));
    return { values, weight: SparseWeight.of(shape, values) };
  };

  test.each([[[400]], [[37, 411]], [[3, 3, 16, 10]]])('is the same to the bit: %j', async (shape) => {
    const { values, weight } = pruned(shape, 0.1);
    const file = fileOf(weight, { sparseInitializers });
    expect(file).toMatchObject({ nodes: [], initializers: [], sparseInitializers: [{ name: 'w', shape }] });
    expect(await decoded(weight, { sparseInitializers })).toEqual(values);
  });

  test.each([
    ['more than a third of it is left', 0.4],
    ['nothing is', 0],
  ])('decodes itself all the same where %s', async (_, kept) => {
    const { values, weight } = pruned([37, 411], kept);
    expect(fileOf(weight, { sparseInitializers }).sparseInitializers).toEqual([]);
    expect(await decoded(weight, { sparseInitializers })).toEqual(values);
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
  const quantized = (bits: number, scales: 'row' | 'matrix'): Compression => ({
    ...common,
    method: 'quantize',
    layers: { '*': { levels: 'binary', bits, scales, algorithm: 'alternating', iterations: 10 } },
  });
  test.each(cases)('is decoded: $what, $bits bits, scales of each $scales', async ({ bits, scales, ...weight }) => {
    const values = randomWeight(weight.shape);
    const [form] = await packed(quantized(bits, scales), [{ ...weight, values }]);
    expect(form).toMatchObject({ form: 'binary-codes', bits });
    const actual = await decoded(form);
    // A sum of scales is rounded to float32 once more.
    for (const [i, value] of values.entries()) expect(Math.abs(actual[i] - value)).toBeLessThan(1e-6);
  });

  test('of 2 bits takes 15 times fewer bytes, its decoder included', async () => {
    const values = randomWeight([784, 300]);
    const [form] = await packed(quantized(2, 'row'), [{ weight: 'kernel', shape: [784, 300], values }]);
    expect((4 * values.length) / encodeOnnxModel(fileOf(form)).length).toBeGreaterThan(15);
  });
});

describe('weights of low rank in a file', () => {
  const ranked = (rank: number, sharedProjection = false): Compression => ({
    ...common,
    method: 'low-rank',
    layers: { '*': { rank, sharedProjection } },
  });
  test.each([
    { what: 'a dense kernel', shape: [61, 43], weight: 'kernel' },
    { what: 'an embedding', shape: [61, 43], weight: 'embeddings' },
    { what: 'a transposed convolution', shape: [3, 3, 20, 16], weight: 'kernel', layerClass: 'Conv2DTranspose' },
  ])('are the product of their factors: $what', async (weight) => {
    const values = randomWeight(weight.shape);
    const [form] = await packed(ranked(4), [{ ...weight, values }]);
    expect(form.form).toBe('factors');
    const actual = await decoded(form);
    for (const [i, value] of values.entries()) expect(Math.abs(actual[i] - value)).toBeLessThan(1e-5);
  });

  test('share the left factor of a shared projection', async () => {
    const recurrent = { weight: 'recurrent_kernel', shape: [30, 120], values: randomWeight([30, 120]) };
    const next = { weight: 'kernel', shape: [30, 120], values: randomWeight([30, 120], 2), inputLayer: 'w0' };
    const names = ['w0/recurrent_kernel', 'w1/kernel'];
    const forms = await packed(ranked(4, true), [recurrent, next]);
    const file = encodePacked(new Map(forms.map((form, i) => [names[i], form])));
    const decoder = new WeightDecoder();
    for (const [name, form] of decodePacked(file)) decoder.add(name, form);
    const tensors = decoder.initializers.map(({ name }) => name).filter((name) => /:(left|right)$/.test(name));
    expect(tensors.sort()).toEqual(['w0/recurrent_kernel:left', 'w0/recurrent_kernel:right', 'w1/kernel:right']);
  });
});
