import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commonLevels } from '../../../../../server/compression/methods/quantize/levelForm.ts';
import { quantizeToPowersOfTwo } from '../../../../../server/compression/methods/quantize/powerOfTwo.ts';
import { normals } from '../../random.ts';
import { holdsItsLevels, isEqual, squaredError, vector, weights } from './levels.ts';

function quantized(values: ArrayLike<number>, bits: number) {
  const result = Float32Array.from(values);
  const form = quantizeToPowersOfTwo(result, vector(result.length), { bits });
  return { result, form };
}

/** 0 and the powers of two of both signs whose exponents are `greatest` and those below it. */
function levelsFrom(greatest: number, bits: number): number[] {
  const powers = Array.from({ length: 2 ** (bits - 1) - 1 }, (_, i) => 2 ** (greatest - i));
  return [...powers.map((power) => -power), 0, ...powers.reverse()];
}

function errorOf(values: Float32Array, levels: readonly number[]): number {
  return values.reduce((sum, value) => sum + Math.min(...levels.map((level) => (value - level) ** 2)), 0);
}

test('two bits are 0 and one power of two of either sign, three bits three of them', () => {
  expect(commonLevels(quantized([1, -1, 1, 0.4, 0.1], 2).form)).toEqual([-1, 0, 1]);
  const { result, form } = quantized([2, -2.1, 1.1, 0.55, -0.45, 0.2, 0.01], 3);
  expect(commonLevels(form)).toEqual([-2, -1, -0.5, 0, 0.5, 1, 2]);
  expect(result).toEqual(Float32Array.of(2, -2, 1, 0.5, -0.5, 0, 0));
});

test('any weights become the nearest of levels whose greatest has the least error of all', () => {
  const some = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(some, fc.integer({ min: 2, max: 4 }), (numbers, bits) => {
      const values = Float32Array.from(numbers);
      const error = squaredError(values, quantized(values, bits).result);
      const errors = Array.from({ length: 40 }, (_, i) => errorOf(values, levelsFrom(i - 30, bits)));
      const norm = errorOf(values, [0]);
      return error <= Math.min(...errors) + 1e-6 * norm;
    }),
  );
});

test('any weights are exactly what a file gives, and stay when they are quantized again', () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 2, max: 8 }), (values, bits) => {
      const { result, form } = quantized(values, bits);
      return holdsItsLevels(result, form) && isEqual(quantized(result, bits).result, result);
    }),
  );
});

test('every level but 0 is a power of two', () => {
  const { result, form } = quantized(normals(300, 41, 0.05), 4);
  expect(commonLevels(form)).toHaveLength(15);
  for (const value of result) expect(value === 0 || Number.isInteger(Math.log2(Math.abs(value)))).toBe(true);
});

test('zeros alone stay', () => {
  expect(quantized([0, 0], 3).result).toEqual(Float32Array.of(0, 0));
});
