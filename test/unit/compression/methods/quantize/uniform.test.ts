import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commonLevels, levelsOfBucket } from '../../../../../server/compression/methods/quantize/levelForm.ts';
import {
  quantizeUniformly,
  uniformLevelCount,
  type UniformParameters,
} from '../../../../../server/compression/methods/quantize/uniform.ts';
import { gatherRows, matrixViewOf } from '../../../../../server/compression/targets/matrixView.ts';
import { Arena, arenaBytes } from '../../../../../server/memory/arena.ts';
import { normals } from '../../random.ts';
import { holdsItsLevels, isEqual, vector, weights } from './levels.ts';

const plain = { bits: 2, bucket: 256, symmetric: false } as const;

function quantized(values: ArrayLike<number>, parameters: Partial<UniformParameters>, seed?: number) {
  const result = Float32Array.from(values);
  const form = quantizeUniformly(result, vector(result.length), { ...plain, ...parameters }, seed);
  return { result, form };
}

/** Section 2.1 of Polino et al. 2018 in float64: the nearest level of each bucket. */
function reference(values: Float32Array, levels: number, bucket: number): number[] {
  return Array.from(values, (value, i) => {
    const start = i - (i % bucket);
    const members = values.subarray(start, start + bucket);
    const least = Math.min(...members);
    const span = Math.max(...members) - least;
    if (span < 1e-10) return least;
    return least + (span * Math.round(((value - least) / span) * (levels - 1))) / (levels - 1);
  });
}

describe('the example of seven weights in buckets of three', () => {
  const values = [0.3, -0.5, 0.1, 0.9, -0.2, 0, 0.4];
  test.each([
    [2, [0.3, -0.5, 0.033333, 0.9, -0.2, 0.166667, 0.4]],
    [1, [0.3, -0.5, 0.3, 0.9, -0.2, -0.2, 0.4]],
  ])('with %i bits', (bits, expected) => {
    const { result } = quantized(values, { bits, bucket: 3 });
    result.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 6));
  });

  test('with three levels, the weights are ternary', () => {
    const { result, form } = quantized(values, { points: 3, bucket: 'tensor' });
    [-0.5, 0.2, 0.9].forEach((level, i) => expect(commonLevels(form)?.[i]).toBeCloseTo(level, 6));
    expect([...new Set(result)].sort((a, b) => a - b)).toEqual(commonLevels(form));
  });
});

test('random weights become what the formula says, up to the rounding of float32', () => {
  const values = normals(1500, 3);
  for (const bits of [1, 2, 4, 8]) {
    const { result } = quantized(values, { bits });
    const expected = reference(values, 2 ** bits, 256);
    // A weight that lies in the middle of two levels may become either.
    const different = result.filter((value, i) => Math.abs(value - expected[i]) > 1e-6).length;
    expect(different).toBeLessThanOrEqual(1);
  }
});

test('relative squared errors of a million normal weights are those of an independent implementation', () => {
  // 1,024,000 numbers in NumPy. The standard deviation of a mean over 4,000 buckets of other numbers is below 0.5%.
  for (const [bits, expected] of [
    [2, 0.2986],
    [4, 0.01183],
    [8, 0.00004],
  ]) {
    const values = normals(256_000, 11);
    const { result } = quantized(values, { bits });
    let error = 0;
    let norm = 0;
    values.forEach((value, i) => {
      error += (value - result[i]) ** 2;
      norm += value ** 2;
    });
    expect(Math.abs(error / norm / expected - 1)).toBeLessThan(bits === 8 ? 0.05 : 0.015);
  }
});

const buckets = fc.constantFrom<UniformParameters['bucket']>(1, 3, 8, 'tensor', 'row');
const bitCounts = fc.integer({ min: 1, max: 8 });
const seeds = fc.option(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { nil: undefined });

describe('for any weights, bits, buckets and rounding', () => {
  test('each weight is exactly what codes, scales and offsets give', () => {
    fc.assert(
      fc.property(weights, bitCounts, buckets, fc.boolean(), seeds, (values, bits, bucket, symmetric, seed) => {
        const { result, form } = quantized(values, { bits, bucket, symmetric }, seed);
        return holdsItsLevels(result, form);
      }),
    );
  });

  test('what is quantized already stays as it is, to the bit', () => {
    fc.assert(
      fc.property(weights, bitCounts, buckets, fc.boolean(), seeds, (values, bits, bucket, symmetric, seed) => {
        const once = quantized(values, { bits, bucket, symmetric }, seed).result;
        return isEqual(quantized(once, { bits, bucket, symmetric }, seed).result, once);
      }),
    );
  });

  test('a weight moves by at most half a step to the nearest level, and less than a step at random', () => {
    fc.assert(
      fc.property(weights, bitCounts, fc.boolean(), seeds, (values, bits, symmetric, seed) => {
        const { result, form } = quantized(values, { bits, bucket: 'tensor', symmetric }, seed);
        const levels = levelsOfBucket(form, 0);
        const step = (levels[levels.length - 1] - levels[0]) / (levels.length - 1);
        const rounding = 2 ** -22 * Math.max(...values.map(Math.abs)) + 1e-10;
        return values.every(
          (value, i) => Math.abs(value - result[i]) <= (seed === undefined ? step / 2 : step) + rounding,
        );
      }),
    );
  });

  test('the least and the greatest weight of a bucket are levels of it', () => {
    fc.assert(
      fc.property(weights, bitCounts, seeds, (values, bits, seed) => {
        const { result } = quantized(values, { bits, bucket: 'tensor' }, seed);
        const [least, greatest] = [Math.min(...values), Math.max(...values)];
        if (Math.fround(greatest - least) < 1e-9) return true;
        // The upper end is the sum of a rounded span and the lower end.
        const rounding = 2 ** -23 * Math.max(Math.abs(least), Math.abs(greatest));
        return Math.min(...result) === least && Math.abs(Math.max(...result) - greatest) <= rounding;
      }),
    );
  });
});

test('symmetric levels have 0 among them, and a level for minus each', () => {
  const values = normals(500, 4);
  values[7] = 0;
  for (const bits of [2, 3, 4, 8]) {
    const { result, form } = quantized(values, { bits, symmetric: true, bucket: 'tensor' });
    const levels = levelsOfBucket(form, 0);
    expect(levels).toHaveLength(2 ** bits - 1);
    expect(isEqual(levels, levels.map((level) => -level).reverse())).toBe(true);
    expect(levels).toContain(0);
    expect(result[7]).toBe(0);
    expect(Math.max(...result.map(Math.abs))).toBe(Math.max(...values.map(Math.abs)));
  }
});

test.each([
  [{ bits: 4, symmetric: false }, 16],
  [{ bits: 4, symmetric: true }, 15],
  [{ bits: 1, symmetric: true }, 2],
  [{ bits: 2, points: 3, symmetric: true }, 3],
  [{ bits: 4, points: 10, symmetric: true }, 9],
  [{ bits: 4, points: 10, symmetric: false }, 10],
])('%j are %i levels', (parameters, expected) => {
  expect(uniformLevelCount(parameters)).toBe(expected);
});

test('each row of a kernel has the levels of its own range', () => {
  const view = matrixViewOf([30, 7], 'kernel');
  const values = normals(210, 5);
  const rows = new Float32Array(210);
  gatherRows(values, view, 0, 7, rows);
  const form = quantizeUniformly(values, view, { ...plain, bucket: 'row' });
  expect(form.scales).toHaveLength(7);
  const result = new Float32Array(210);
  gatherRows(values, view, 0, 7, result);
  for (let row = 0; row < 7; row++) {
    const { result: alone } = quantized(rows.subarray(30 * row, 30 * (row + 1)), { bucket: 'tensor' });
    expect(result.subarray(30 * row, 30 * (row + 1))).toEqual(alone);
  }
  expect(holdsItsLevels(values, form)).toBe(true);
});

test('a tensor with fewer weights than a bucket is one bucket', () => {
  const values = normals(50, 6);
  expect(quantized(values, { bucket: 256 })).toEqual(quantized(values, { bucket: 'tensor' }));
});

test('a constant bucket stays as it is', () => {
  const { result, form } = quantized([0.1, 0.1, 0.1, 0, 0, 0], { bucket: 3 });
  expect(result).toEqual(Float32Array.of(0.1, 0.1, 0.1, 0, 0, 0));
  expect(form.scales).toEqual(Float32Array.of(0, 0));
});

test('weights in an arena, of more buckets than fit into the scratch space, are quantized like others', () => {
  const values = normals(70_001, 9);
  const arena = new Arena(arenaBytes(values.length));
  const inArena = arena.float32(values.length);
  inArena.set(values);
  const form = quantizeUniformly(inArena, vector(values.length), { ...plain, bucket: 3 });
  const { result, form: expected } = quantized(values, { bucket: 3 });
  expect(form).toEqual(expected);
  expect(inArena).toEqual(result);
  const late = quantized(values.subarray(60_000), { bucket: 3 });
  expect(result.subarray(60_000)).toEqual(late.result);
});

test('weights that are not numbers stay so, which shows that training has diverged', () => {
  for (const seed of [undefined, 1]) {
    expect(quantized([1, NaN, 3], {}, seed).result).toEqual(Float32Array.of(1, NaN, 3));
    expect(quantized([1, 2, 2, 3, 5, 4, NaN, 3], {}, seed).result[6]).toBeNaN();
    expect(quantized([1, Infinity, 3], {}, seed).result).toEqual(Float32Array.of(NaN, NaN, NaN));
  }
});

describe('at random', () => {
  test('a weight is on average what it was', () => {
    const values = Float32Array.of(-1, 1, 0.1, 0.55, -0.62);
    const sums = new Float64Array(values.length);
    const rounds = 20_000;
    for (let seed = 0; seed < rounds; seed++)
      quantized(values, { bits: 1 }, seed * 7919).result.forEach((value, i) => (sums[i] += value));
    // A mean of n coins of plus and minus 1 has a standard deviation of at most 1/sqrt(n): 5 of them are 0.036.
    sums.forEach((sum, i) => expect(Math.abs(sum / rounds - values[i])).toBeLessThan(0.036));
  });

  test('neighbours are rounded independently of one another', () => {
    const values = Float32Array.from({ length: 20_002 }, (_, i) => (i < 2 ? i : 0.5));
    const { result } = quantized(values, { bits: 1, bucket: 'tensor' }, 5);
    const pairs = [0, 0, 0, 0];
    for (let i = 2; i < result.length; i += 2) pairs[2 * result[i] + result[i + 1]]++;
    // 10,000 pairs: 2,500 of each, with a standard deviation of 43.
    for (const count of pairs) expect(Math.abs(count - 2500)).toBeLessThan(220);
  });

  test('the same seed rounds alike, another seed otherwise', () => {
    const values = normals(300, 8);
    const first = quantized(values, {}, 1).result;
    expect(quantized(values, {}, 1).result).toEqual(first);
    expect(quantized(values, {}, 2).result).not.toEqual(first);
  });
});
