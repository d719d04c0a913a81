import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearZeros, weightHistogram } from '../../../server/compression/histogram.ts';
import { normals } from './random.ts';

test('every finite weight is in one bin, before and after, for any weights', () => {
  const arrays = fc.float32Array({ maxLength: 50 });
  fc.assert(
    fc.property(arrays, arrays, fc.integer({ min: 8, max: 40 }), (before, after, bins) => {
      const histogram = weightHistogram(before, after, bins);
      for (const [counts, weights] of [
        [histogram.before, before],
        [histogram.after, after],
      ] as const) {
        expect(counts).toHaveLength(bins);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(weights.filter(Number.isFinite).length);
      }
    }),
  );
});

test('both histograms have the bins of the union of their ranges', () => {
  const histogram = weightHistogram(Float32Array.of(-1, 0, 0.5, 1), Float32Array.of(0, 0, 0.5, 3), 8);
  expect(histogram).toMatchObject({
    minimum: -1,
    maximum: 3,
    before: [1, 0, 1, 1, 1, 0, 0, 0],
    after: [0, 0, 2, 1, 0, 0, 0, 1],
    zerosBefore: 1,
    zerosAfter: 2,
  });
});

test('near zero is a non-zero weight below 1% of the standard deviation before the distortion', () => {
  const before = normals(50_000, 1, 0.1);
  const deviation = Math.sqrt(before.reduce((sum, w) => sum + w * w, 0) / before.length);
  const after = before.map((weight) => (Math.abs(weight) < 0.0005 ? 0 : weight));
  const near = (weights: Float32Array) => weights.filter((w) => w !== 0 && Math.abs(w) < 0.01 * deviation).length;
  const histogram = weightHistogram(before, after, 80);
  // The mean, 0 within 0.0005, moves the deviation by 1e-5 of itself: one weight at most crosses the bound.
  expect(Math.abs(histogram.nearZerosBefore - near(before))).toBeLessThanOrEqual(1);
  expect(Math.abs(histogram.nearZerosAfter - near(after))).toBeLessThanOrEqual(1);
  expect(nearZeros(before)).toBe(histogram.nearZerosBefore);
});

test('constant weights fill one bin', () => {
  const histogram = weightHistogram(new Float32Array(5).fill(2), new Float32Array(5).fill(2), 8);
  expect(histogram).toMatchObject({ minimum: 2, maximum: 2, before: [5, 0, 0, 0, 0, 0, 0, 0] });
});

test('what is near zero after a distortion goes by the deviation before it', () => {
  // Deviations of 1 and 0.1; 0.005 is below a hundredth of the first and above one of the second.
  const before = Float32Array.from({ length: 1001 }, (_, i) => (i === 0 ? 0.005 : i % 2 === 0 ? 1 : -1));
  const after = before.map((weight, i) => (i === 0 ? weight : weight / 10));
  expect(weightHistogram(before, after, 10)).toMatchObject({ nearZerosBefore: 1, nearZerosAfter: 1 });
});
