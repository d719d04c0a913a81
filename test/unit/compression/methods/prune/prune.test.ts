import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arena, arenaBytes } from '../../../../../server/memory/arena.ts';
import { pruneSmallest, pruneSmallestOf } from '../../../../../server/compression/kernels.ts';
import { prunedCount } from '../../../../../server/compression/methods/prune/rate.ts';
import { normals, uniform } from '../../random.ts';

function prune(weights: Float32Array, rate: number): void {
  pruneSmallest(weights, prunedCount(rate, weights.length));
}

/** The reference: sort by magnitude, lower index first, and zero the first floor(rate * n). */
function pruneBySorting(weights: Float32Array, rate: number): Float32Array {
  const order = Array.from(weights.keys()).sort((a, b) => Math.abs(weights[a]) - Math.abs(weights[b]) || a - b);
  const pruned = weights.slice();
  for (const i of order.slice(0, prunedCount(rate, weights.length))) pruned[i] = 0;
  return pruned;
}

/** Prunes a copy in an arena. */
function prunedInArena(weights: Float32Array, rate: number): Float32Array {
  const view = new Arena(arenaBytes(weights.length)).float32(weights.length);
  view.set(weights);
  prune(view, rate);
  return view;
}

/** -0 counts as zero, and stays. */
const bytesOf = (weights: Float32Array) => Buffer.from(weights.map((weight) => weight + 0).buffer);

/** Compares bytes: a matcher's walk over 30,000 elements takes longer than all of the pruning. */
function expectSortedPruning(weights: Float32Array, rate: number): void {
  const expected = bytesOf(pruneBySorting(weights, rate));
  const copied = weights.slice();
  prune(copied, rate);
  expect(bytesOf(copied).equals(expected)).toBe(true);
  expect(bytesOf(prunedInArena(weights, rate)).equals(expected)).toBe(true);
}

test('prunes exactly what a sort prunes, for any weights and rate', () => {
  const weights = fc.float32Array({ noNaN: true, maxLength: 200 });
  fc.assert(fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), expectSortedPruning));
});

test('prunes ties by index, for any weights with few different magnitudes', () => {
  const magnitude = fc.constantFrom(0, -0, 0.5, -0.5, 1, -1, 2);
  const weights = fc.array(magnitude, { maxLength: 100 }).map((values) => Float32Array.from(values));
  fc.assert(fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), expectSortedPruning));
});

describe('large tensors, whose threshold is bracketed by a sample', () => {
  const length = 12_011;
  const random = uniform(3);
  const gaussian = normals(length, 1, 0.05);
  const sparse = gaussian.map((weight) => (Math.abs(weight) < 0.08 ? 0 : weight));
  const coarse = gaussian.map((weight) => Math.round(weight * 50) / 50);
  const ascending = Float32Array.from({ length }, (_, i) => i);
  const heavyTailed = gaussian.map((weight) => weight / random() ** 8);
  /** All small weights where a sample of one in 64 at a fixed place would see none of them. */
  const periodic = gaussian.map((weight, i) => (i % 64 === 0 ? weight : weight + 10));
  const constant = new Float32Array(length).fill(-0.25);
  const zero = new Float32Array(length);
  const kinds = { gaussian, sparse, coarse, ascending, heavyTailed, periodic, constant, zero };

  test.each(Object.entries(kinds))('%s weights are pruned as by a sort, at any rate', (_, weights) => {
    for (const rate of [0, 0.0001, 0.25, 0.5, 0.98, 0.9999, 1]) expectSortedPruning(weights, rate);
  });
});

describe('tensors of which a bracket holds more than fits', () => {
  const length = 1_600_011;
  const gaussian = normals(length, 1, 0.05);
  const kinds = {
    gaussian,
    sparse: gaussian.map((weight) => (Math.abs(weight) < 0.04 ? 0 : weight)),
    coarse: gaussian.map((weight) => Math.round(weight * 50) / 50),
    ascending: Float32Array.from({ length }, (_, i) => i),
    heavyTailed: gaussian.map((weight) => weight ** 9),
    near: gaussian.map((weight) => 1 + weight * 1e-5),
    constant: new Float32Array(length).fill(-0.25),
  };

  /** The reference: the magnitude of the rank among the sorted ones, and the first of those that have it. */
  function expectRankedPruning(weights: Float32Array, sorted: Float32Array, rate: number): void {
    const count = prunedCount(rate, length);
    const threshold = sorted[count - 1];
    let ties = count - sorted.indexOf(threshold);
    const expected = weights.map((weight) => {
      const magnitude = Math.abs(weight);
      return magnitude < threshold || (magnitude === threshold && ties-- > 0) ? 0 : weight;
    });
    expect(bytesOf(prunedInArena(weights, rate)).equals(bytesOf(expected))).toBe(true);
    const parts = [0, 5, 700_000, length].flatMap((end, i, ends) => (i === 0 ? [] : [weights.slice(ends[i - 1], end)]));
    pruneSmallestOf(parts, count);
    expect(Buffer.concat(parts.map(bytesOf)).equals(bytesOf(expected))).toBe(true);
  }

  test.each(Object.entries(kinds))('%s weights are pruned as their ranks say, also as several arrays', (_, weights) => {
    const sorted = weights.map(Math.abs).sort();
    for (const rate of [0.3, 0.5, 0.8]) expectRankedPruning(weights, sorted, rate);
  });
});

test('weights around the pruned view are left alone', () => {
  const arena = new Arena(3 * arenaBytes(9000));
  const [before, pruned, after] = [1, 2, 3].map(() => arena.float32(9000).fill(0.5));
  prune(pruned, 0.999);
  expect([before, after].every((view) => view.every((weight) => weight === 0.5))).toBe(true);
  expect(pruned.filter((weight) => weight === 0)).toHaveLength(8991);
});

test('a tensor larger than any before it is pruned through a larger copy', () => {
  for (const length of [10, 400_000, 20]) {
    const weights = normals(length, 2);
    prune(weights, 0.5);
    expect(weights.filter((weight) => weight === 0)).toHaveLength(length / 2);
  }
});

test('a NaN counts as the largest weight', () => {
  const weights = Float32Array.of(NaN, 3, -2, 1);
  prune(weights, 0.5);
  expect(weights).toEqual(Float32Array.of(NaN, 3, 0, 0));
});
