import fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { LevelsWeight } from '../../../../server/formats/packed/levels.ts';
import { gridOf, storedNumbers } from '../../../../server/export/tfjs/quantizedNumbers.ts';

/** What TensorFlow.js makes of the numbers when it loads them. */
function loaded(values: Float32Array, { bytes, quantization }: ReturnType<typeof storedNumbers>): Float32Array {
  const spec = { name: 'w', shape: [values.length], dtype: 'float32' as const, ...(quantization && { quantization }) };
  const { w } = tf.io.decodeWeights(new Uint8Array(bytes).buffer, [spec as tf.io.WeightsManifestEntry]);
  return Float32Array.from(w.dataSync());
}

const exact = { round: false, axes: 2 };
const rounded = { round: true, axes: 2 };

describe('numbers in fewer bits', () => {
  test('are read back by TensorFlow.js to the bit where nothing is rounded', () => {
    const number = fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, 0.5, -0.5, 1.5), fc.integer({ max: 300 }));
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 1, maxLength: 40 }),
        fc.constantFrom('float32' as const, 'float16' as const, 'uint8' as const, 'uint16' as const),
        (numbers, dtype) => {
          const values = Float32Array.from(numbers);
          expect(loaded(values, storedNumbers(values, dtype, exact)).map((x) => x + 0)).toEqual(
            values.map((x) => x + 0),
          );
        },
      ),
    );
  });

  test.each([
    ['uint8', [-0.3, 0.3, 0.3, -0.3], 4],
    ['uint8', Array.from({ length: 256 }, (_, i) => i / 8 - 4), 256],
    ['uint16', Array.from({ length: 1000 }, (_, i) => i * 3 - 7), 2000],
    ['float16', [1, -65504, 2 ** -24, 0.333251953125], 8],
    ['uint8', [0, 0, 0], 3],
  ] as const)('%s has %j exactly', (dtype, numbers, bytes) => {
    const stored = storedNumbers(Float32Array.from(numbers), dtype, exact);
    expect(stored.quantization?.dtype).toBe(dtype);
    expect(stored.bytes).toHaveLength(bytes);
  });

  test.each([
    ['uint8', Array.from({ length: 257 }, (_, i) => i)],
    ['uint8', [0, 0.1, 0.25]],
    ['float16', [0.1]],
    ['float16', [70000]],
    ['uint8', [NaN, 1]],
  ] as const)('%s does not have %j, which stay float32', (dtype, numbers) => {
    const values = Float32Array.from(numbers);
    const { bytes, quantization } = storedNumbers(values, dtype, exact);
    expect(quantization).toBeUndefined();
    expect(bytes).toHaveLength(values.byteLength);
  });

  test('of a weight of uniform levels with one scale are exact, with the scale that it has', () => {
    const levelsOf = (bucket: number) => {
      const codes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);
      const sets = Math.ceil(1000 / bucket);
      const scales = new Float32Array(sets).fill(1.7320508);
      const offsets = new Float32Array(sets).fill(-0.7071068);
      const view = { outer: 1, rows: 1, inner: 1000 };
      return LevelsWeight.of([1000], { levels: { uniform: 256 }, codes, view, bucket, scales, offsets });
    };
    const weight = levelsOf(1000);
    const values = weight.rebuild();
    // The steps between the numbers, which are rounded, tell the scale too coarsely.
    expect(storedNumbers(values, 'uint8', exact).quantization).toBeUndefined();
    const stored = storedNumbers(values, 'uint8', { ...exact, known: gridOf(weight) });
    expect(stored.bytes).toHaveLength(1000);
    expect(loaded(values, stored)).toEqual(values);
    expect(gridOf(levelsOf(999))).toBeUndefined();
  });

  test('are rounded to the nearest on wish, and zeros stay zeros', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => (i % 3 === 0 ? 0 : Math.sin(i) * (1 + i / 500)));
    const range = Math.max(...values) - Math.min(...values);
    const read = loaded(values, storedNumbers(values, 'uint8', rounded));
    values.forEach((value, i) => {
      // Half a step, and as much again where 0 is moved to a code.
      expect(Math.abs(read[i] - value)).toBeLessThanOrEqual(range / 255);
      if (value === 0) expect(read[i]).toBe(0);
    });
    const half = loaded(values, storedNumbers(values, 'float16', rounded));
    values.forEach((value, i) => expect(Math.abs(half[i] - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11));
  });

  test('of a vector are not rounded', () => {
    expect(storedNumbers(Float32Array.of(0.1), 'float16', { round: true, axes: 1 }).quantization).toBeUndefined();
  });
});
