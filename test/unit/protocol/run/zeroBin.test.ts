import { describe, expect, test } from 'vitest';
import { weightHistogram } from '../../../../server/compression/histogram.ts';
import { zeroBin } from '../../../../server/protocol/run/zeroBin.ts';

describe('the bin of the zeros', () => {
  test.each([
    ['in the middle of a bin', [-3, 0, 0, 0, 2], 5],
    ['on the bound of two bins', [-1, 0, 0, 0, 1], 4],
    ['at the lower end', [0, 0, 1, 2], 4],
    ['at the upper end', [-2, -1, 0, 0], 4],
    ['where all are zero', [0, 0, 0], 3],
  ])('is found in the counts that a run records: %s', (_, values, bins) => {
    const zeros = values.filter((value) => value === 0).length;
    const weights = Float32Array.from(values);
    const { minimum, maximum, after, zerosAfter } = weightHistogram(weights, weights, bins);
    expect(zerosAfter).toBe(zeros);
    const bin = zeroBin({ minimum, maximum, counts: after }, zeros)!;
    expect(after[bin]).toBe(zeros);
  });

  test('is the one below where rounding has counted them there', () => {
    expect(zeroBin({ minimum: -1, maximum: 1, counts: [92, 4] }, 90)).toBe(0);
    expect(zeroBin({ minimum: -1, maximum: 1, counts: [4, 92] }, 90)).toBe(1);
  });

  test('is none where there are no zeros', () => {
    expect(zeroBin({ minimum: -1, maximum: 1, counts: [2, 4] }, 0)).toBeUndefined();
    expect(zeroBin({ minimum: 1, maximum: 1, counts: [50, 0] }, 0)).toBeUndefined();
  });
});
