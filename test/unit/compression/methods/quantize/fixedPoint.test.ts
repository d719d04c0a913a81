import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commonLevels } from '../../../../../server/compression/methods/quantize/levelForm.ts';
import { bestFraction, quantizeToFixedPoint } from '../../../../../server/compression/methods/quantize/fixedPoint.ts';
import { normals } from '../../random.ts';
import { holdsItsLevels, isEqual, squaredError, vector, weights } from './levels.ts';

function quantized(values: ArrayLike<number>, bits: number, fractionBits?: number, seed?: number) {
  const result = Float32Array.from(values);
  const form = quantizeToFixedPoint(result, vector(result.length), { bits, fractionBits }, seed);
  return { result, form };
}

/** By the definition: k = round(w 2^f), cut off at the ends of two's complement. */
function fixedPoint(value: number, bits: number, fractionBits: number): number {
  const k = Math.round(value * 2 ** fractionBits);
  return Math.max(-(2 ** (bits - 1)), Math.min(2 ** (bits - 1) - 1, k)) * 2 ** -fractionBits;
}

test('four bits of which two are the fraction reach from -2 to 1.75 in quarters', () => {
  const { result, form } = quantized([-5, -2, -0.3, 0, 0.1, 0.13, 0.9, 1.75, 3], 4, 2);
  expect(result).toEqual(Float32Array.of(-2, -2, -0.25, 0, 0, 0.25, 1, 1.75, 1.75));
  expect(commonLevels(form)).toEqual(Array.from({ length: 16 }, (_, k) => (k - 8) / 4));
});

test('a fraction may be longer than the number, and be negative: then the numbers are multiples of a power of two', () => {
  expect(quantized([0.011, -0.02], 3, 7).result).toEqual(Float32Array.of(1 / 128, -3 / 128));
  expect(quantized([9, -17, 4], 3, -2).result).toEqual(Float32Array.of(8, -16, 4));
});

test('any weights become what the definition says', () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 2, max: 8 }), fc.integer({ min: -8, max: 20 }), (values, bits, fraction) => {
      const { result } = quantized(values, bits, fraction);
      return values.every((value, i) => {
        const expected = fixedPoint(value, bits, fraction);
        const isMiddle = Math.abs(((value * 2 ** fraction) % 1) ** 2) === 0.25;
        return isMiddle || result[i] === expected;
      });
    }),
  );
});

test('any weights are exactly what a file gives, and stay when they are quantized again', () => {
  const seeds = fc.option(fc.nat(), { nil: undefined });
  const fractions = fc.option(fc.integer({ min: -8, max: 20 }), { nil: undefined });
  fc.assert(
    fc.property(weights, fc.integer({ min: 2, max: 8 }), fractions, seeds, (values, bits, fraction, seed) => {
      const { result, form } = quantized(values, bits, fraction, seed);
      return holdsItsLevels(result, form) && isEqual(quantized(result, bits, fraction, seed).result, result);
    }),
  );
});

test('the chosen fraction has the least error of all', () => {
  for (const [seed, scale] of [
    [1, 1],
    [2, 0.01],
    [3, 37],
  ])
    for (const bits of [2, 4, 8]) {
      const values = normals(800, seed, scale);
      const errors = Array.from({ length: 40 }, (_, i) => squaredError(values, quantized(values, bits, i - 12).result));
      const least = Math.min(...errors);
      expect(squaredError(values, quantized(values, bits).result)).toBe(least);
      expect(bestFraction(values, bits)).toBe(errors.indexOf(least) - 12);
    }
});

test('zeros alone have any fraction', () => {
  expect(quantized([0, 0, 0], 4).result).toEqual(Float32Array.of(0, 0, 0));
});

test('at random, a number is on average what it was', () => {
  let sum = 0;
  for (let seed = 0; seed < 4000; seed++) sum += quantized([0.3, 1], 4, 0, seed * 31).result[0];
  // 4,000 coins of 0 and 1 with chance 0.3: a standard deviation of 0.0072.
  expect(Math.abs(sum / 4000 - 0.3)).toBeLessThan(0.036);
});
