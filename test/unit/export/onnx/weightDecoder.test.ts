import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CompressibleWeight } from '../../../../server/compression/targets/targets.ts';
import { encodeOnnxModel } from '../../../../server/formats/onnx.ts';
import { ort } from '../../../../server/formats/onnxRuntime.ts';
import { Random } from '../../../../server/formats/random.ts';
import type { Compression } from '../../../../server/protocol/experiment/schema.ts';
import { FactorsCodedWeight } from '../../../../server/formats/packed/factorsCoded.ts';
import { LevelsWeight } from '../../../../server/formats/packed/levels.ts';
import { decodePacked, encodePacked, type PackedWeight } from '../../../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../../../server/formats/packed/sparse.ts';
import { SparseCodedWeight } from '../../../../server/formats/packed/sparseCoded.ts';
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
      [...Array<number>(254).fill(0), 5, ...Array<number>(510).fill(0), 6],
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

/** A random weight of levels. @param view outer, rows and inner */
function levelsOf(
  view: readonly [number, number, number],
  options: { count: number; isUniform?: boolean; bucket?: number; offsets?: boolean },
  shape: readonly number[] = view,
): LevelsWeight {
  const { count, isUniform = false, bucket, offsets = true } = options;
  const [outer, rows, inner] = view;
  const length = elementCount(shape);
  const random = new Random(count);
  const codes = Uint8Array.from({ length }, () => Math.floor(count * random.uniform()));
  const floats = (size: number) => Float32Array.from({ length: size }, () => random.uniform() - 0.5);
  const sets = bucket === undefined ? 0 : Math.ceil(length / bucket);
  return LevelsWeight.of(shape, {
    levels: isUniform ? { uniform: count } : floats(count),
    codes,
    view: { outer, rows, inner },
    ...(bucket !== undefined && { bucket, scales: floats(sets), ...(offsets && { offsets: floats(sets) }) }),
  });
}

describe('a weight of levels in a file', () => {
  const counts = [2, 3, 4, 16, 17, 100, 128, 200, 256];
  const cases = counts.flatMap((count) => [
    { count, what: 'a table' },
    { count, isUniform: true, what: 'a grid' },
    { count, bucket: 5, what: 'a table with buckets' },
    { count, isUniform: true, bucket: 7, what: 'a grid with buckets' },
  ]);
  test.each(cases)('is decoded to the bit: $what of $count levels', async ({ what: _, ...options }) => {
    const weight = levelsOf([3, 4, 11], options);
    expect(await decoded(weight)).toEqual(weight.rebuild());
  });

  test.each([
    ['a bucket that holds more than the weight', [1, 1, 30], { count: 4, bucket: 1000 }],
    ['a bucket for each row', [6, 5, 1], { count: 4, bucket: 6, isUniform: true }],
    ['a bucket for each number', [2, 3, 1], { count: 4, bucket: 1 }],
    ['scales without offsets', [3, 4, 5], { count: 9, bucket: 8, offsets: false }],
    ['one number', [1, 1, 1], { count: 256 }],
  ] as const)('is decoded to the bit: %s', async (_, shape, options) => {
    const weight = levelsOf([...shape], options);
    expect(await decoded(weight)).toEqual(weight.rebuild());
  });

  test.each([
    [2, 30],
    [4, 15],
    [16, 7.9],
    [256, 3.9],
  ])('of %i levels takes %f times fewer bytes, its decoder included', (count, smaller) => {
    const weight = levelsOf([1, 784, 300], { count, isUniform: true, bucket: 784 * 300 });
    expect((4 * 784 * 300) / encodeOnnxModel(fileOf(weight)).length).toBeGreaterThan(smaller);
  });
});

describe('a pruned weight with coded numbers in a file', () => {
  test.each([
    ['half', 0.5],
    ['most', 0.98],
    ['nearly all, with gaps longer than a byte tells', 0.9995],
  ])('is decoded to the bit: %s of it is 0', async (_, rate) => {
    const shape = [37, 411];
    const random = new Random(2);
    const kept = Float32Array.from({ length: 37 * 411 }, () => (random.uniform() < rate ? 0 : 1));
    const count = kept.filter((one) => one === 1).length;
    for (const options of [{ count: 16 }, { count: 3, isUniform: true, bucket: 100 }]) {
      const weight = SparseCodedWeight.of(shape, kept, levelsOf([1, 1, count], options, [count]));
      expect(await decoded(weight)).toEqual(weight.rebuild());
      expect(await decoded(weight, { sparseInitializers: true })).toEqual(weight.rebuild());
    }
  });

  test('of 98% zeros and 16 levels takes 105 times fewer bytes, its decoder included', () => {
    const kept = randomWeight([784, 300]).map((value) => (Math.abs(value) < 0.49 ? 0 : 1));
    const count = kept.filter((one) => one === 1).length;
    const codes = Uint8Array.from({ length: count }, (_, i) => i % 16);
    const view = { outer: 1, rows: 1, inner: count };
    const coded = LevelsWeight.of([count], { levels: { uniform: 16 }, codes, view });
    const file = encodeOnnxModel(fileOf(SparseCodedWeight.of([784, 300], kept, coded)));
    expect((4 * kept.length) / file.length).toBeGreaterThan(105);
  });
});

describe('weights of low rank with coded factors in a file', () => {
  const view = { outer: 2, rows: 15, inner: 4 };
  const factors = {
    left: levelsOf([1, 15, 4], { count: 16, isUniform: true, bucket: 10 }, [15, 4]),
    right: levelsOf([1, 4, 8], { count: 4 }, [4, 8]),
  };

  test('are the product of their factors', async () => {
    const weight = new FactorsCodedWeight([2, 15, 4], view, 4, factors);
    const actual = await decoded(weight);
    weight.rebuild().forEach((value, i) => expect(Math.abs(actual[i] - value)).toBeLessThan(1e-5));
  });

  test('share a left factor in its small form, whichever comes first', () => {
    const owner = new FactorsCodedWeight([2, 15, 4], view, 4, factors);
    const other = new FactorsCodedWeight([2, 15, 4], view, 4, { ...factors, leftOf: 'w1' });
    const file = encodePacked(
      new Map([
        ['w0', other],
        ['w1', owner],
      ]),
    );
    const decoder = new WeightDecoder();
    for (const [name, form] of decodePacked(file)) decoder.add(name, form);
    const tensors = decoder.initializers.map(({ name }) => name).filter((name) => name.startsWith('w'));
    expect(tensors).toEqual([
      ...['codes', 'scales', 'offsets'].map((part) => `w1:left:${part}`),
      ...['w0:right:codes', 'w0:right:levels', 'w1:right:codes', 'w1:right:levels'],
    ]);
    expect(decoder.bytesOf('w0')).toBe(8 + 16);
  });
});

test.each([
  ['with gaps longer than a byte tells', 300],
  ['with gaps', 30],
  ['with a bit for each place', 2],
])('ONNX Runtime computes what decodes a weight %s when it loads the file, not when it runs', async (_, every) => {
  const kept = Float32Array.from({ length: 3000 }, (__, i) => (i % every === 0 ? 1 : 0));
  const count = Math.ceil(3000 / every);
  const numbers = levelsOf([1, 1, count], { count: 3, isUniform: true, bucket: 4 }, [count]);
  const weight = SparseCodedWeight.of([30, 100], kept, numbers);
  const file = fileOf(weight);
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-decoder-'));
  try {
    const optimizedModelFilePath = join(folder, 'optimized.onnx');
    const product = { op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] };
    const content = encodeOnnxModel({
      ...file,
      inputs: [{ name: 'x', type: 'float32', shape: [1, 30] }],
      outputs: [{ name: 'y', type: 'float32', shape: [1, 100] }],
      nodes: [...file.nodes, product],
    });
    const session = await ort.InferenceSession.create(content, {
      optimizedModelFilePath,
      graphOptimizationLevel: 'basic',
      logSeverityLevel: 3,
    });
    await session.release();
    const left = readFileSync(optimizedModelFilePath).toString('latin1').replaceAll('MatMul', 'product');
    expect(left).toContain('product');
    const ops = [...new Set(file.nodes.map((node) => node.op))];
    expect(ops.filter((op) => left.includes(op))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
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
