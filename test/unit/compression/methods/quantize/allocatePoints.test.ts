import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocatePoints, mostPoints } from '../../../../../server/compression/methods/quantize/allocatePoints.ts';

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

// Computed with numpy by the rule of the published code.
test.each([
  { norms: [1, 2, 5], count: 16, expected: [11, 14, 23] },
  { norms: [1, 1, 1], count: 4, expected: [4, 4, 4] },
  { norms: [0.1, 0.1, 9.8], count: 4, expected: [2, 2, 8] },
])('norms $norms of three weights of $count points', ({ norms, count, expected }) => {
  expect(allocatePoints([count, count, count], norms)).toEqual(expected);
});

test('what rounding leaves over goes to the weight with the fewest points, and what it spends is taken from the one with the most', () => {
  // 6 points are shared as 2.5, which rounds to 3, twice, and 1: one too many.
  expect(allocatePoints([4, 4, 4], [2.5, 2.5, 1])).toEqual([4, 5, 3]);
  // As 2.4, which rounds to 2, twice, and 1.2: one too few.
  expect(allocatePoints([4, 4, 4], [2, 2, 1])).toEqual([4, 4, 4]);
});

test('all points are where they were without a gradient, and where one is not finite', () => {
  expect(allocatePoints([16, 4], [0, 0])).toEqual([16, 4]);
  expect(allocatePoints([16, 4], [NaN, 1])).toEqual([16, 4]);
  expect(allocatePoints([16, 4], [1, Infinity])).toEqual([16, 4]);
});

test('as many points stay as there were, 2 to 256 for each weight and none above the most that it can get', () => {
  const weights = fc.array(fc.tuple(fc.integer({ min: 2, max: 256 }), fc.double({ min: 0, max: 1e3, noNaN: true })), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(weights, (pairs) => {
      const [counts, norms] = [pairs.map(([count]) => count), pairs.map(([, norm]) => norm)];
      const allocated = allocatePoints(counts, norms);
      const most = mostPoints(counts);
      expect(sum(allocated)).toBe(sum(counts));
      allocated.forEach((count, i) => {
        expect(count).toBeGreaterThanOrEqual(2);
        expect(count).toBeLessThanOrEqual(most[i]);
        expect(most[i]).toBeLessThanOrEqual(256);
      });
    }),
  );
});
