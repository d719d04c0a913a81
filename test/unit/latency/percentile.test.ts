import { expect, test } from 'vitest';
import { percentile } from '../../../server/latency/percentile.ts';

test('a percentile lies between the values, as NumPy has it', () => {
  // numpy.percentile([3, 1, 4, 1, 5], [50, 90, 0, 100])
  const values = [3, 1, 4, 1, 5];
  expect([50, 90, 0, 100].map((percent) => percentile(values, percent))).toEqual([3, 4.6, 1, 5]);
  expect(percentile([2, 4], 50)).toBe(3);
  expect(percentile([7], 90)).toBe(7);
});
