import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addScaleGradient } from '../../../../../server/compression/methods/quantize/exactScale.ts';
import { quantizeUniformly } from '../../../../../server/compression/methods/quantize/uniform.ts';
import { matrixViewOf, type MatrixView } from '../../../../../server/compression/targets/matrixView.ts';
import { normals } from '../../random.ts';
import { vector } from './levels.ts';

function exactGradient(
  full: Float32Array,
  slopes: ArrayLike<number>,
  view: MatrixView,
  parameters: { bits: number; bucket: number | 'row'; symmetric: boolean },
): Float32Array {
  const quantized = full.slice();
  const form = quantizeUniformly(quantized, view, parameters);
  const gradient = Float32Array.from(slopes);
  addScaleGradient(gradient, full, quantized, form, parameters.symmetric);
  return gradient;
}

test('the example of seven weights in buckets of three, with 2 bits', () => {
  const full = Float32Array.of(0.3, -0.5, 0.1, 0.9, -0.2, 0, 0.4);
  const slopes = [1, 2, -1, 0.5, 1, -2, 1];
  const gradient = exactGradient(full, slopes, vector(7), { bits: 2, bucket: 3, symmetric: false });
  const expected = [1.083333, 1.916667, -1, 0.19697, 1.30303, -2, 1];
  gradient.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
});

/**
 * With codes and places `v^` held as they are but for the ends of a bucket, a quantized weight is `q^ a + b + (v - v^ a - b)`: rounding
 * counts as the identity. Its derivative by an end is found by moving that.
 */
function derivative(full: Float32Array, slopes: Float32Array, index: number, symmetric: boolean): number {
  const range = (values: Float32Array) => {
    const [least, greatest] = [Math.min(...values), Math.max(...values)];
    const magnitude = Math.max(-least, greatest);
    return symmetric ? { offset: -magnitude, scale: 2 * magnitude } : { offset: least, scale: greatest - least };
  };
  const { offset, scale } = range(full);
  const last = symmetric ? 2 : 3;
  const places = Array.from(full, (value) => (value - offset) / scale);
  const codes = places.map((place) => Math.round(place * last) / last);
  const loss = (moved: Float64Array) => {
    const now = range(Float32Array.from(moved));
    return places.reduce((sum, place, i) => {
      const level = now.offset + now.scale * codes[i];
      const unrounded = now.offset + now.scale * place;
      return sum + slopes[i] * (level + moved[i] - unrounded);
    }, 0);
  };
  const step = 2 ** -8;
  const [up, down] = [Float64Array.from(full), Float64Array.from(full)];
  up[index] += step;
  down[index] -= step;
  return (loss(up) - loss(down)) / (2 * step);
}

test.each([false, true])('it is the derivative where rounding counts as no change, symmetric: %s', (symmetric) => {
  // Multiples of 1/64, so that the differences are exact in float32.
  const full = normals(40, 12).map((value) => Math.round(value * 64) / 64);
  full[3] = 4;
  full[20] = -5;
  const slopes = normals(40, 13);
  const gradient = exactGradient(full, slopes, vector(40), { bits: 2, bucket: 40, symmetric });
  full.forEach((_, i) => expect(gradient[i]).toBeCloseTo(derivative(full, slopes, i, symmetric), 3));
});

test('the sum of a bucket is that of the gradient at the quantized weights, for any weights, slopes and bits', () => {
  const numbers = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(numbers, fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 8 }), (values, seed, bits) => {
      const slopes = normals(values.length, seed);
      const parameters = { bits, bucket: 7, symmetric: false };
      const gradient = exactGradient(Float32Array.from(values), slopes, vector(values.length), parameters);
      for (let start = 0; start < values.length; start += 7) {
        const sum = (of: Float32Array) => of.subarray(start, start + 7).reduce((total, value) => total + value, 0);
        // The rounding of seven float32 numbers below some tens.
        expect(Math.abs(sum(gradient) - sum(slopes))).toBeLessThan(1e-4);
      }
    }),
  );
});

test('rows that do not lie one after the other have ends of their own', () => {
  const view = matrixViewOf([6, 2], 'kernel');
  const full = normals(12, 14);
  const slopes = normals(12, 15);
  const gradient = exactGradient(full, slopes, view, { bits: 2, bucket: 'row', symmetric: false });
  for (const row of [0, 1]) {
    const own = (values: Float32Array) => values.filter((_, i) => i % 2 === row);
    const expected = exactGradient(own(full), own(slopes), vector(6), { bits: 2, bucket: 6, symmetric: false });
    expect(own(gradient)).toEqual(expected);
  }
});
