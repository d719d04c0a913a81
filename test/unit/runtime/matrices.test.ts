import { beforeAll, describe, expect, test } from 'vitest';
import { BinaryCodesWeight } from '../../../server/formats/packed/binaryCodes.ts';
import { FactorsWeight } from '../../../server/formats/packed/factors.ts';
import type { PackedWeight } from '../../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../../server/formats/packed/sparse.ts';
import { Random } from '../../../server/formats/random.ts';
import { instantiateKernels, type Kernels } from '../../../runtime/kernels.ts';
import { LinearMemory } from '../../../runtime/linearMemory.ts';
import { WeightStore } from '../../../runtime/weightStore.ts';
import { forms, randomNumbers, randomWeight, relativeError } from './packedModel.ts';

const memory = new LinearMemory();
let kernels: Kernels;
beforeAll(async () => {
  kernels = await instantiateKernels(memory.memory);
});

/** Bias + X W by the runtime, and in float64 of the dense weight. */
function products(weight: PackedWeight, rows: number, part?: { from: number; to: number }, seed = 5) {
  const random = new Random(seed);
  const [inputs, columns] = weight.shape;
  const store = new WeightStore(kernels, memory, new Map([['fc/kernel', weight]]));
  const matrix = store.matrix(['fc'], 'kernel', columns, part);
  const { outputs } = matrix;
  const x = randomNumbers(random, rows * inputs);
  const bias = randomNumbers(random, outputs);
  const [xAt, biasAt] = [memory.store(x), memory.store(bias)];
  // What is behind the result must not change.
  const y = memory.store(new Float32Array(rows * outputs + 16).fill(77));
  matrix.multiply(xAt, rows, biasAt, y, memory.allocate(matrix.scratchBytes(rows)));
  const dense = weight.rebuild();
  const from = part?.from ?? 0;
  const expected = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row++)
    for (let output = 0; output < outputs; output++) {
      let sum = bias[output];
      for (let i = 0; i < inputs; i++) sum += x[row * inputs + i] * dense[i * columns + from + output];
      expected[row * outputs + output] = sum;
    }
  const behind = memory.floats(y + 4 * rows * outputs, 16).slice();
  return { actual: memory.floats(y, rows * outputs).slice(), expected, behind };
}

/** Float32 sums in another order; those of codes have 21 bits. */
const TOLERANCE = 5e-6;

describe.each(forms)('%s', (form) => {
  const shapes = [
    ...[
      [1, 1],
      [3, 2],
      [4, 4],
      [5, 7],
      [8, 16],
      [9, 17],
      [31, 33],
      [64, 10],
      [650, 130],
      [2100, 20],
      [784, 300],
    ],
  ];
  test.each(shapes)('a product with [%i, %i] is that of the dense weight', (inputs, outputs) => {
    const weight = randomWeight(new Random(inputs + outputs), form, [inputs, outputs]);
    for (const rows of [1, 2, 4, 5, 16, 19]) {
      const { actual, expected, behind } = products(weight, rows);
      expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
      expect(behind).toEqual(new Float32Array(16).fill(77));
    }
  });

  test('a part of the columns is a matrix of its own', () => {
    const weight = randomWeight(new Random(3), form, [20, 42]);
    for (const part of [
      { from: 0, to: 28 },
      { from: 28, to: 42 },
    ]) {
      const { actual, expected } = products(weight, 3, part);
      expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
    }
  });

  test('a product can be added to what is there', () => {
    const weight = randomWeight(new Random(4), form, [30, 26]);
    const store = new WeightStore(kernels, memory, new Map([['fc/kernel', weight]]));
    const matrix = store.matrix(['fc'], 'kernel', 26);
    const x = memory.store(randomNumbers(new Random(1), 30));
    const y = memory.store(new Float32Array(26).fill(2));
    const from2 = memory.allocate(4 * 26);
    const scratch = memory.allocate(matrix.scratchBytes(1));
    matrix.multiply(x, 1, memory.store(new Float32Array(26).fill(2)), from2, scratch);
    matrix.multiply(x, 1, y, y, scratch);
    expect(memory.floats(y, 26)).toEqual(memory.floats(from2, 26));
  });
});

test('distances that no byte holds, outputs without weights, and a weight of zeros', () => {
  const sparse = new Float32Array(2000 * 6);
  for (const [input, output] of [
    [0, 0],
    [1999, 0],
    [255, 1],
    [256, 2],
    [511, 2],
    [1022, 2],
    [700, 3],
  ])
    sparse[input * 6 + output] = input + 1;
  for (const values of [sparse, new Float32Array(2000 * 6)]) {
    const weight = SparseWeight.of([2000, 6], values);
    for (const rows of [1, 7]) {
      const { actual, expected } = products(weight, rows);
      expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
    }
  }
});

test.each([1, 2, 3, 4, 5, 8])('codes of %i bits, with a set of scales for each output and with one for all', (bits) => {
  const random = new Random(bits);
  const [inputs, outputs] = [70, 37];
  const codes = Uint8Array.from({ length: inputs * outputs }, () => Math.floor(2 ** bits * random.uniform()));
  for (const [outer, rows] of [
    [inputs, outputs],
    [1, 1],
  ]) {
    const view = { outer, rows, inner: rows === 1 ? inputs * outputs : 1 };
    const weight = BinaryCodesWeight.of([inputs, outputs], view, bits, randomNumbers(random, rows * bits), codes);
    const { actual, expected } = products(weight, 2);
    expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
  }
});

test('codes with a set of scales for each input are multiplied as the dense weight', () => {
  const random = new Random(8);
  const view = { outer: 1, rows: 12, inner: 9 };
  const codes = Uint8Array.from({ length: 108 }, () => Math.floor(4 * random.uniform()));
  const weight = BinaryCodesWeight.of([12, 9], view, 2, randomNumbers(random, 24), codes);
  const { actual, expected } = products(weight, 2);
  expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
});

test('the tables of codes take inputs of zeros, and give NaN for what is no number', () => {
  const weight = randomWeight(new Random(2), 'codes', [16, 16]);
  const store = new WeightStore(kernels, memory, new Map([['fc/kernel', weight]]));
  const matrix = store.matrix(['fc'], 'kernel', 16);
  const scratch = memory.allocate(matrix.scratchBytes(1));
  const [y, bias] = [memory.allocate(64), memory.store(new Float32Array(16).fill(3))];
  matrix.multiply(memory.store(new Float32Array(16)), 1, bias, y, scratch);
  expect(memory.floats(y, 16)).toEqual(new Float32Array(16).fill(3));
  for (const wrong of [NaN, Infinity, -Infinity]) {
    matrix.multiply(memory.store(new Float32Array(16).fill(wrong, 5, 6)), 1, bias, y, scratch);
    expect(memory.floats(y, 16)).toEqual(new Float32Array(16).fill(NaN));
  }
});

test('factors with the outputs as rows are multiplied as two products', () => {
  const random = new Random(6);
  const view = { outer: 20, rows: 15, inner: 1 };
  const factors = { left: randomNumbers(random, 15 * 2), right: randomNumbers(random, 2 * 20) };
  const { actual, expected } = products(new FactorsWeight([20, 15], view, 2, factors), 3);
  expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
});

test('weights that share a left factor hold it once', () => {
  const left = randomNumbers(new Random(1), 100 * 4);
  const view = { outer: 1, rows: 100, inner: 8 };
  const right = () => randomNumbers(new Random(2), 4 * 8);
  const weights = new Map<string, PackedWeight>([
    ['a/kernel', new FactorsWeight([100, 8], view, 4, { left, right: right() })],
    ['b/kernel', new FactorsWeight([100, 8], view, 4, { left, right: right(), leftOf: 'a/kernel' })],
  ]);
  const store = new WeightStore(kernels, memory, weights);
  store.zeros(4);
  const before = memory.used;
  store.matrix(['a'], 'kernel', 8);
  const first = memory.used - before;
  store.matrix(['b'], 'kernel', 8);
  expect(first).toBe(left.byteLength + 4 * 4 * 8);
  expect(memory.used - before - first).toBe(4 * 4 * 8);
});
