import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quantize } from '../../../server/compression/methods/quantize/quantize.ts';
import { pruneSmallest } from '../../../server/compression/kernels.ts';
import { predictSizes } from '../../../server/compression/predictSize.ts';
import { matchTargets, type CompressibleWeight } from '../../../server/compression/targets/targets.ts';
import { decodePacked, encodePacked } from '../../../server/formats/packed/packedFile.ts';
import { multiplyFactors } from '../../../server/formats/packed/factors.ts';
import { singularValues } from '../../../server/linalg/singularValues.ts';
import { createCompressor, type WrittenCompression } from './createCompressor.ts';
import { normals } from './random.ts';
import { trainedWeight } from './trainedWeight.ts';

const codes = { levels: 'binary', algorithm: 'alternating', scales: 'matrix', iterations: 2 } as const;
const common = { policy: 'deeptwist', distortEvery: 10 } as const;
const pruning = (rate: number, layer = 'fc'): WrittenCompression => ({
  ...common,
  method: 'prune',
  layers: { [layer]: { rate } },
});
const quantization = (bits: number, layer = 'fc'): WrittenCompression => ({
  ...common,
  method: 'quantize',
  layers: { [layer]: { ...codes, bits } },
});
const lowRank = (rank: number, layer = 'fc', sharedProjection = false): WrittenCompression => ({
  ...common,
  method: 'low-rank',
  layers: { [layer]: { rank, sharedProjection } },
});
/** All that is left of a weight is zero. */
const nuclearNorm: WrittenCompression = { method: 'nuclear-norm', threshold: 'tau', layers: { fc: { tau: 1000 } } };
const groupLasso: WrittenCompression = { method: 'group-lasso', threshold: 'lambda', layers: { fc: { lambda: 1000 } } };
const run = { steps: 100, seed: 1 };

describe('pruning, then quantization', () => {
  test.each([1, 2, 3])('zeros stay zeros, and the levels are fitted to what is left: %i bits', async (bits) => {
    const fc = trainedWeight('fc/kernel', [30, 20], bits);
    const expected = fc.values.slice();
    await createCompressor([pruning(0.8), quantization(bits)], [fc], run).distort(10);

    pruneSmallest(expected, 480);
    const kept = expected.filter((value) => value !== 0);
    quantize(kept, { outer: 1, rows: 1, inner: kept.length, columns: kept.length }, { ...codes, bits });
    let next = 0;
    expected.forEach((value, i) => (expected[i] = value === 0 ? 0 : kept[next++]));
    expect(fc.values).toEqual(expected);
    expect(new Set(fc.values).size).toBe(1 + 2 ** bits);
  });

  test('a distortion of the second is one of both, also at a step at which the first is not due', async () => {
    const fc = trainedWeight('fc/kernel', [30, 20], 4);
    const compressor = createCompressor([{ ...pruning(0.9), distortEvery: 7 }, quantization(2)], [fc], run);
    expect([7, 10, 20, 21].map((step) => compressor.dueAfter(step))).toEqual([[0], [1], [1], [0]]);
    await compressor.distort(10);
    expect(fc.values.filter((value) => value === 0)).toHaveLength(540);
    expect(new Set(fc.values).size).toBe(5);
  });

  test('the first has its own schedule: before its first step the second quantizes all numbers', async () => {
    const fc = trainedWeight('fc/kernel', [30, 20], 5);
    const first = {
      ...pruning(0.9),
      schedule: { initialRate: 0, from: 50, to: 60, exponent: 3 },
    } as WrittenCompression;
    const compressor = createCompressor([first, quantization(2)], [fc], run);
    await compressor.distort(10);
    expect(new Set(fc.values).size).toBe(4);
    expect(fc.values.includes(0)).toBe(false);
    await compressor.distort(60);
    expect(fc.values.filter((value) => value === 0)).toHaveLength(540);
  });

  test('a one-shot pruning waits for the end of the run', async () => {
    const fc = trainedWeight('fc/kernel', [30, 20], 6);
    const first = { ...pruning(0.9), policy: 'one-shot' } as WrittenCompression;
    const compressor = createCompressor([first, quantization(2)], [fc], run);
    await compressor.distort(10);
    expect(fc.values.includes(0)).toBe(false);
    fc.values.set(normals(600, 7));
    await compressor.distort(100);
    expect(fc.values.filter((value) => value === 0)).toHaveLength(540);
    expect(new Set(fc.values).size).toBe(5);
  });

  test('what is left is the index, the codes of the numbers that are kept, and one set of scales', async () => {
    const fc = trainedWeight('fc/kernel', [100, 80], 7);
    const alone = createCompressor(pruning(0.9), [fc], run);
    await alone.distort(100);
    const [{ bytesKept }] = alone.sizes([fc]);
    const indexBytes = bytesKept - 4 * 800;
    const both = createCompressor([pruning(0.9), quantization(2)], [fc], run);
    const [report] = await both.distort(100, { bins: 8 });
    const [size] = both.sizes([fc]);
    expect(size.weightsKept).toBe(800);
    expect(Math.abs(size.bytesKept - (indexBytes + (2 * 800) / 8 + 2 * 4))).toBeLessThanOrEqual(1);
    expect(report.levels).toHaveLength(5);
    expect(report.setting).toEqual({ rate: 0.9, bits: 2 });
    expect(report.size).toEqual({ weightsKept: size.weightsKept, bytesKept: size.bytesKept });
  });
});

describe('the settings that are told of a weight are its own', () => {
  const bits = [1, 2, 4];
  const quantized = (layers: readonly number[]): WrittenCompression => ({
    ...common,
    method: 'quantize',
    layers: Object.fromEntries(layers.map((own) => [`fc${own}`, { ...codes, bits: own }])),
  });

  test('after one threshold for the model', async () => {
    const weights = bits.map((own) => trainedWeight(`fc${own}/kernel`, [30, 20], own));
    const first = { ...pruning(0.8, '*'), scope: 'model' } as WrittenCompression;
    const compressor = createCompressor([first, quantized(bits)], weights, run);
    const reports = await compressor.distort(10, { bins: 8 });
    expect(reports.map(({ setting }) => setting)).toEqual(bits.map((own) => ({ rate: 0.8, bits: own })));
  });

  test('after a projection that weights share', async () => {
    const lstm = [
      trainedWeight('fc2/recurrent_kernel', [8, 32], 9),
      { ...trainedWeight('fc4/kernel', [8, 40], 10), inputLayer: 'fc2' },
    ];
    const compressor = createCompressor([lowRank(3, '*', true), quantized([2, 4])], lstm, run);
    const reports = await compressor.preview(10, { bins: 8 });
    expect(reports.map(({ setting }) => setting)).toEqual([2, 4].map((own) => ({ rank: 3, bits: own })));
  });
});

describe('low rank, then quantization', () => {
  test('the factors are quantized: the weight is the product of two matrices of few levels a row', async () => {
    const fc = trainedWeight('fc/kernel', [30, 20], 8);
    const compressor = createCompressor([lowRank(4), quantization(3)], [fc], run);
    await compressor.distort(100);
    const form = compressor.compressed.get('fc/kernel');
    if (form?.form !== 'factors') throw new Error('It has no factors.');
    expect(new Set(form.left).size).toBeLessThanOrEqual(8);
    expect(new Set(form.right).size).toBeLessThanOrEqual(8);
    const product = new Float32Array(600);
    multiplyFactors(form, { outer: 1, rows: 30, inner: 20 }, product);
    expect(fc.values).toEqual(product);
    const values = await singularValues(fc.values, 30, 20);
    expect(values[4]).toBeLessThan(1e-5 * values[0]);
    const [{ weightsKept, bytesKept }] = compressor.sizes([fc]);
    expect(weightsKept).toBe(4 * (30 + 20));
    // 3 bits a number, and 3 scales a factor.
    expect(bytesKept).toBe((3 * 200) / 8 + 2 * 3 * 4);
  });

  test('weights that share a projection share its quantized factor', async () => {
    const lstm = [
      trainedWeight('lstm/recurrent_kernel', [8, 32], 9),
      { ...trainedWeight('softmax/kernel', [8, 40], 10), inputLayer: 'lstm' },
    ];
    const compressor = createCompressor([lowRank(3, '*', true), quantization(2, '*')], lstm, run);
    await compressor.distort(100);
    const [first, second] = lstm.map(({ name }) => compressor.compressed.get(name));
    if (first?.form !== 'factors' || second?.form !== 'factors') throw new Error('They have no factors.');
    expect(second.left).toBe(first.left);
    expect(compressor.sizes(lstm).map(({ weightsKept }) => weightsKept)).toEqual([3 * (8 + 32), 3 * 40]);
  });

  test('the next truncation does not begin with what quantization left', async () => {
    const [alone, both] = [trainedWeight('fc/kernel', [30, 20], 11), trainedWeight('fc/kernel', [30, 20], 11)];
    const first = createCompressor(lowRank(4), [alone], run);
    const second = createCompressor([lowRank(4), quantization(1)], [both], run);
    for (const compressor of [first, second]) await compressor.distort(10);
    // Two bases, [4, 20], span the same where the matrix of their products is orthogonal: its squares add up to the rank.
    const [a, b] = [first, second].map(({ state }) => state['basis:fc/kernel']);
    const dot = (i: number, j: number) =>
      Array.from({ length: 20 }, (_, k) => a[20 * i + k] * b[20 * j + k]).reduce((sum, product) => sum + product);
    const squares = [0, 1, 2, 3].flatMap((i) => [0, 1, 2, 3].map((j) => dot(i, j) ** 2));
    expect(squares.reduce((sum, square) => sum + square)).toBeCloseTo(4, 5);
  });
});

test('low rank, then pruning, then quantization: the zeros of the factors stay, the rest has few levels', async () => {
  const fc = trainedWeight('fc/kernel', [40, 30], 12);
  const compressor = createCompressor([lowRank(6), pruning(0.5), quantization(2)], [fc], run);
  await compressor.distort(100);
  const form = compressor.compressed.get('fc/kernel');
  if (form?.form !== 'factors') throw new Error('It has no factors.');
  for (const factor of [form.left, form.right]) {
    expect(factor.filter((value) => value === 0)).toHaveLength(factor.length / 2);
    expect(new Set(factor).size).toBe(5);
  }
});

describe('factors that are no fewer numbers than the weight', () => {
  /** All singular values are kept: 20 of a matrix of 30 rows and 20 columns, which would be 1000 numbers in the place of 600. */
  const fullRank = { ...nuclearNorm, layers: { fc: { tau: 0 } } } as WrittenCompression;

  test.each([quantization(2), pruning(0.5)])(
    '$method after the nuclear norm is as if it came alone',
    async (further) => {
      const [fc] = [trainedWeight('fc/kernel', [30, 20], 8)];
      const alone = { ...fc, values: fc.values.slice() };
      const both = createCompressor([fullRank, further], [fc], run);
      const one = createCompressor(further, [alone], run);
      for (const step of [50, 100]) for (const compressor of [both, one]) await compressor.distort(step);
      expect(fc.values).toEqual(alone.values);
      expect(both.sizes([fc])).toEqual(one.sizes([alone]));
      expect(both.packed()).toEqual(one.packed());
    },
  );

  test('of a rank above the break-even, too, the weight is quantized: its size is the one that was predicted', async () => {
    const fc = trainedWeight('fc/kernel', [30, 20], 8);
    const list = [lowRank(13), quantization(2)];
    const compressor = createCompressor(list, [fc], run);
    await compressor.distort(100);
    const [{ weightsKept, bytesKept }] = compressor.sizes([fc]);
    expect({ weightsKept, bytesKept }).toEqual({ weightsKept: 600, bytesKept: (2 * 600) / 8 + 2 * 4 });
    const settings = list.map(({ method, layers }) => ({ method, parameters: layers.fc }) as never);
    expect(predictSizes([fc], () => settings)).toEqual(compressor.sizes([fc]));
  });
});

describe('pruning after the group lasso, which leaves zeros already', () => {
  const shrinking: WrittenCompression = { ...groupLasso, distortEvery: 10, layers: { '*': { lambda: 0 } } };

  test.each<[string, object]>([
    ['rate 0.5', { rate: 0.5 }],
    ['2:4', { pattern: '2:4' }],
    ['units', { pattern: 'unit', rate: 0.5 }],
    ['blocks', { pattern: 'block', block: [2, 2], rate: 0.5 }],
  ])('is as if it came alone, at every distortion: %s', async (_, parameters) => {
    const prune = { ...common, method: 'prune', layers: { '*': parameters } } as WrittenCompression;
    const model = () => [
      trainedWeight('fc/kernel', [40, 20], 8),
      { ...trainedWeight('lstm/kernel', [20, 32], 9), units: { of: 'lstm/kernel', gates: 4 } },
    ];
    const [weights, alone] = [model(), model()];
    // Zeros that are there before: dead pixels.
    for (const { values } of [...weights, ...alone]) values.fill(0, 0, 60);
    const both = createCompressor([shrinking, prune], weights, run);
    const one = createCompressor(prune, alone, run);
    for (const step of [10, 20, 100]) {
      for (const compressor of [both, one]) await compressor.distort(step);
      expect(weights.map(({ values }) => values)).toEqual(alone.map(({ values }) => values));
    }
    expect(both.sizes(weights)).toEqual(one.sizes(alone));
    expect(both.packed()).toEqual(one.packed());
  });

  test('has the zeros of units that are gone among its own', async () => {
    const fc = trainedWeight('fc/kernel', [30, 20], 8);
    // Five of twenty units, columns of the kernel, are a hundredth of the others.
    for (let i = 0; i < 600; i++) if (i % 20 < 5) fc.values[i] /= 100;
    const few = { ...groupLasso, layers: { fc: { lambda: 0.1 } } } as WrittenCompression;
    const compressor = createCompressor([few, pruning(0.5)], [fc], run);
    const [{ units }] = await compressor.distort(100, { bins: 8 });
    expect(units).toEqual({ left: 15, all: 20 });
    expect(fc.values.filter((value) => value === 0)).toHaveLength(300);
  });
});

test('the factors of the kernels of a recurrent layer after nuclear norm and group lasso are those of each, quantized', async () => {
  const lstm = [trainedWeight('lstm/kernel', [12, 32], 3), trainedWeight('lstm/recurrent_kernel', [8, 32], 4)];
  const few = { ...nuclearNorm, energy: 0.3, layers: { '*': { tau: 0.1 } } } as WrittenCompression;
  const units = { ...groupLasso, layers: { '*': { lambda: 1e-6 } } } as WrittenCompression;
  const compressor = createCompressor([few, units, quantization(3, '*')], lstm, run);
  await compressor.distort(100);
  const read = decodePacked(encodePacked(compressor.packed()));
  for (const { name, values } of lstm) {
    expect(read.get(name)!.form).toBe('factors-coded');
    expect(read.get(name)!.rebuild()).toEqual(values);
  }
  for (const { name, bytesKept } of compressor.sizes(lstm))
    expect(bytesKept).toBe(read.get(name)!.sections.reduce((bytes, { length }) => bytes + length, 0));
});

test('compressions of different layers act by themselves, each at its own steps', async () => {
  const weights = [trainedWeight('fc1/kernel', [20, 10], 13), trainedWeight('fc2/kernel', [10, 30], 14)];
  const compressor = createCompressor(
    [pruning(0.8, 'fc1'), { ...quantization(1, 'fc2'), distortEvery: 25 }],
    weights,
    run,
  );
  const before = weights[1].values.slice();
  const report = await compressor.distort(10, { bins: 8 });
  expect(report.map(({ name }) => name)).toEqual(['fc1/kernel']);
  expect(weights[1].values).toEqual(before);
  await compressor.distort(25);
  expect(new Set(weights[1].values).size).toBe(2);
});

describe('policies of two compressions of one weight', () => {
  test('a straight-through quantization of masked weights computes with both, and stores full precision', async () => {
    const fc = trainedWeight('fc/kernel', [20, 10], 15);
    const masked = { ...pruning(0.5), policy: 'gradual-mask' } as WrittenCompression;
    const through = { ...quantization(2), policy: 'straight-through' } as WrittenCompression;
    const compressor = createCompressor([masked, through], [fc], run);
    await compressor.distort(10);
    const stored = fc.values.slice();
    expect(stored.filter((value) => value === 0)).toHaveLength(100);
    await compressor.beforeStep(11);
    expect(new Set(fc.values).size).toBe(5);
    fc.gradient!.fill(1);
    await compressor.pull();
    expect(fc.values).toEqual(stored);
    expect(fc.gradient!.filter((value) => value === 0)).toHaveLength(100);
    fc.values.forEach((value, i) => (fc.values[i] = value + 0.01));
    await compressor.push();
    expect(fc.values.filter((value) => value === 0)).toHaveLength(100);
  });

  test('two straight-through compressions are undone in the opposite order', async () => {
    const fc = trainedWeight('fc/kernel', [20, 10], 16);
    const through = [pruning(0.5), quantization(1)].map(
      (own) => ({ ...own, policy: 'straight-through' }) as WrittenCompression,
    );
    const compressor = createCompressor(through, [fc], run);
    const stored = fc.values.slice();
    await compressor.beforeStep(1);
    expect(new Set(fc.values).size).toBe(3);
    await compressor.pull();
    expect(fc.values).toEqual(stored);
    await compressor.beforeEvaluation(1);
    expect(new Set(fc.values).size).toBe(3);
    compressor.afterEvaluation();
    expect(fc.values).toEqual(stored);
  });
});

describe('what cannot go together is an error at the second', () => {
  const refused =
    (...compressions: WrittenCompression[]) =>
    () =>
      createCompressor(compressions, [trainedWeight('fc/kernel', [20, 10], 17)], run);

  test.each([
    ['prune', [pruning(0.5), pruning(0.6)]],
    ['low-rank', [pruning(0.5), lowRank(2)]],
    ['prune', [quantization(2), pruning(0.5)]],
    ['quantize', [quantization(2), quantization(1)]],
  ] as const)('%s', (method, compressions) => {
    expect(refused(...compressions)).toThrow(
      new RegExp(
        `^compression\\[1\\]\\.layers\\.fc: fc/kernel is compressed by compression\\[0\\] before, and "${method}"`,
      ),
    );
  });

  test('a mask over factors', () => {
    const masked = { ...pruning(0.5), policy: 'gradual-mask' } as WrittenCompression;
    expect(refused(lowRank(2), masked)).toThrow('compression[1].policy: "gradual-mask" works with weights as a whole');
  });

  test('a distortion of weights that are computed from factors at each step', () => {
    const factors = { ...lowRank(2), policy: 'factors' } as WrittenCompression;
    expect(refused(factors, quantization(2))).toThrow('compression[1].policy: what it does to fc/kernel would be lost');
    expect(refused(factors, { ...quantization(2), policy: 'one-shot' })).not.toThrow();
  });

  test('one of two weights that share a projection', () => {
    const lstm = [
      trainedWeight('lstm/recurrent_kernel', [8, 32], 18),
      { ...trainedWeight('softmax/kernel', [8, 40], 19), inputLayer: 'lstm' },
    ];
    expect(() => createCompressor([lowRank(3, '*', true), quantization(2, 'lstm')], lstm, run)).toThrow(
      'compression[1].layers.lstm: lstm/recurrent_kernel is compressed together with softmax/kernel',
    );
  });
});

test('the state of a list goes on to the bit, whatever the order of what is due', async () => {
  const list = [
    { ...pruning(0.7, 'fc1'), policy: 'gradual-mask', distortEvery: 3 } as WrittenCompression,
    { ...lowRank(3, 'fc2'), distortEvery: 4 } as WrittenCompression,
    { ...quantization(2, '*'), distortEvery: 6 } as WrittenCompression,
  ];
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 23 }), async (cut) => {
      const model = () => [trainedWeight('fc1/kernel', [12, 10], 20), trainedWeight('fc2/kernel', [10, 9], 21)];
      const step = async (
        compressor: ReturnType<typeof createCompressor>,
        weights: CompressibleWeight[],
        at: number,
      ) => {
        await compressor.beforeStep(at);
        await compressor.pull();
        for (const { values } of weights) values.forEach((value, i) => (values[i] = value + 0.01 * Math.cos(at * i)));
        await compressor.push();
        if (compressor.distortsAfter(at)) await compressor.distort(at);
      };
      const whole = model();
      const one = createCompressor(list, whole, { steps: 24, seed: 1 });
      let second = createCompressor(list, model(), { steps: 24, seed: 1 });
      let parts = model();
      for (let at = 1; at <= 24; at++) {
        await step(one, whole, at);
        if (at !== cut) continue;
        parts = whole.map((own) => ({ ...own, values: own.values.slice() }));
        second = createCompressor(list, parts, { steps: 24, seed: 1 });
        second.restore(structuredClone(one.state));
      }
      for (let at = cut + 1; at <= 24; at++) await step(second, parts, at);
      expect(parts.map(({ values }) => values)).toEqual(whole.map(({ values }) => values));
    }),
    { numRuns: 8 },
  );
});

test.each([
  ['pruning, then bits', [pruning(0.9), quantization(2)], 'sparse-coded'],
  ['pruning of nearly all, then bits', [pruning(0.999), quantization(1)], 'sparse-coded'],
  ['low rank, then bits', [lowRank(5), quantization(2)], 'factors-coded'],
  ['low rank, then pruning', [lowRank(5), pruning(0.8)], 'factors-coded'],
  ['all three', [lowRank(9), pruning(0.7), quantization(3)], 'factors-coded'],
  ['more numbers in factors than in the weight, then pruning', [lowRank(30), pruning(0.5)], 'sparse'],
  ['more numbers in factors than in the weight, then bits', [lowRank(30), quantization(2)], 'binary-codes'],
  ['no singular value, then bits', [nuclearNorm, quantization(2)], 'sparse'],
  ['no unit, then bits', [groupLasso, quantization(2)], 'sparse'],
  ['no singular value, no unit, then bits', [nuclearNorm, groupLasso, quantization(2)], 'sparse'],
  ['no unit, then pruning', [groupLasso, pruning(0.5)], 'sparse'],
] as const)('a file holds the very numbers in the bytes that were counted: %s', async (_, list, form) => {
  const fc = trainedWeight('fc/kernel', [60, 40], 24);
  const compressor = createCompressor([...list], [fc], run);
  await compressor.distort(100);
  const packed = compressor.packed();
  expect(packed.get('fc/kernel')!.form).toBe(form);
  const read = decodePacked(encodePacked(packed)).get('fc/kernel')!;
  expect(read.rebuild()).toEqual(fc.values);
  const [{ bytesKept }] = compressor.sizes([fc]);
  expect(bytesKept).toBe(read.sections.reduce((bytes, { length }) => bytes + length, 0));
});

test.each<WrittenCompression>([
  quantization(2, '*'),
  { ...common, method: 'quantize', layers: { '*': { levels: 'fixed-point', bits: 3 } } },
])(
  'a weight that one threshold for the model makes all zero takes the bytes that are counted, and no number: %o',
  async (further) => {
    const weights = [trainedWeight('large/kernel', [30, 20], 1), trainedWeight('small/kernel', [20, 10], 2, 1e-3)];
    const compressor = createCompressor(
      [{ ...pruning(0.9, '*'), scope: 'model' } as WrittenCompression, further],
      weights,
      run,
    );
    await compressor.distort(100);
    expect(weights[1].values.every((value) => value === 0)).toBe(true);
    const read = decodePacked(encodePacked(compressor.packed()));
    for (const { name, bytesKept } of compressor.sizes(weights))
      expect(bytesKept).toBe(read.get(name)!.sections.reduce((bytes, { length }) => bytes + length, 0));
    expect(compressor.sizes(weights).map(({ weightsKept }) => weightsKept)).toEqual([80, 0]);
    expect(compressor.sizes(weights)[1].bytesKept).toBeLessThan(40);
    expect(read.get('small/kernel')!.rebuild()).toEqual(weights[1].values);
  },
);

test('the predicted size of a list is near the measured one, without a weight', async () => {
  const weights = [trainedWeight('fc1/kernel', [200, 100], 22), trainedWeight('fc2/kernel', [100, 90], 23)];
  const list = [pruning(0.9, 'fc1'), lowRank(10, 'fc2'), quantization(2, 'fc*')];
  const compressor = createCompressor(list, weights, run);
  await compressor.distort(100);
  const targets = list.map(({ method, layers }) => ({
    method,
    targets: matchTargets(layers as Record<string, object>, weights),
  }));
  const predicted = predictSizes(weights, ({ name }) =>
    targets.flatMap(({ method, targets: own }) => {
      const target = own.find((candidate) => candidate.weight.name === name);
      return target ? [{ method, parameters: target.parameters } as never] : [];
    }),
  );
  const measured = compressor.sizes(weights);
  expect(predicted[1]).toEqual(measured[1]);
  expect(predicted[0].weightsKept).toBe(measured[0].weightsKept);
  expect(predicted[0].bytesKept / measured[0].bytesKept).toBeCloseTo(1, 1);
});
