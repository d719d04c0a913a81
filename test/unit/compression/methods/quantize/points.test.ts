import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quantizeToPoints, type PointsParameters } from '../../../../../server/compression/methods/quantize/points.ts';
import { commonLevels } from '../../../../../server/compression/methods/quantize/levelForm.ts';
import { roundToTable } from '../../../../../server/compression/levelKernels.ts';
import { matrixViewOf } from '../../../../../server/compression/targets/matrixView.ts';
import { Random } from '../../../../../server/formats/random.ts';
import { normals } from '../../random.ts';
import { holdsItsLevels, isEqual, squaredError, vector, weights } from './levels.ts';

const usual: PointsParameters = { bits: 2, bucket: 256, start: 'uniform', iterations: 20 };

function quantized(values: ArrayLike<number>, parameters: Partial<PointsParameters> = {}) {
  const result = Float32Array.from(values);
  const form = quantizeToPoints(result, vector(result.length), { ...usual, ...parameters }, new Random(1));
  return { result, form };
}

test('points are places between the ends of each bucket: the example of seven weights', () => {
  const values = Float32Array.of(0.3, -0.5, 0.1, 0.9, -0.2, 0, 0.4);
  roundToTable(values, {
    table: Float32Array.of(0, 0.3, 0.6, 1),
    bucket: 3,
    scales: Float32Array.of(0.8, 1.1, 1),
    offsets: Float32Array.of(-0.5, -0.2, 0.4),
  });
  [0.3, -0.5, -0.02, 0.9, -0.2, 0.13, 0.4].forEach((expected, i) => expect(values[i]).toBeCloseTo(expected, 6));
});

test('a number in the middle of two points becomes the upper one', () => {
  const values = Float32Array.of(0.5, 1.5, -0.5);
  roundToTable(values, { table: Float32Array.of(-1, 0, 1, 2), bucket: 3 });
  expect(values).toEqual(Float32Array.of(1, 2, 0));
});

describe('for any weights, starts and buckets', () => {
  const parameters = fc.record({
    bits: fc.integer({ min: 1, max: 5 }),
    bucket: fc.constantFrom<PointsParameters['bucket']>(1, 3, 8, 'tensor', 'row', 'none'),
    start: fc.constantFrom<PointsParameters['start']>('quantiles', 'uniform', 'random'),
    iterations: fc.integer({ min: 0, max: 10 }),
  });

  test('each weight is exactly what codes, points and scales give', () => {
    fc.assert(
      fc.property(weights, parameters, (values, chosen) => {
        const { result, form } = quantized(values, chosen);
        return holdsItsLevels(result, form);
      }),
    );
  });

  test('points that are weights are found again, to the bit', () => {
    fc.assert(
      fc.property(weights, parameters, (values, chosen) => {
        const once = quantized(values, { ...chosen, bucket: 'none' }).result;
        return isEqual(quantized(once, { ...chosen, bucket: 'none' }).result, once);
      }),
    );
  });

  test('a weight becomes the nearest point of its bucket', () => {
    fc.assert(
      fc.property(weights, parameters, (values, chosen) => {
        const { result, form } = quantized(values, { ...chosen, bucket: 'none' });
        // The middle of two points, where one ends and the next begins, is a float32.
        const rounding = 2 ** -23 * Math.max(...form.table.map(Math.abs));
        return values.every((value, i) =>
          form.table.every((point) => Math.abs(value - result[i]) <= Math.abs(value - point) + rounding),
        );
      }),
    );
  });
});

test('relative squared errors of normal weights in buckets of 256 are those of an independent implementation', () => {
  const values = normals(256_000, 31);
  const norm = squaredError(values, new Float32Array(values.length));
  const relative = (parameters: Partial<PointsParameters>) =>
    squaredError(values, quantized(values, parameters).result) / norm;
  // NumPy, 1,024,000 numbers: the quantile start without rounds.
  expect(Math.abs(relative({ bits: 2, start: 'quantiles', iterations: 0 }) / 0.2908 - 1)).toBeLessThan(0.02);
  expect(Math.abs(relative({ bits: 4, start: 'quantiles', iterations: 0 }) / 0.0187 - 1)).toBeLessThan(0.02);
  expect(Math.abs(relative({ bits: 8, start: 'quantiles', iterations: 0 }) / 0.00011 - 1)).toBeLessThan(0.05);
  // Fitted ones are better than either start.
  expect(relative({ bits: 4, start: 'quantiles', iterations: 100 })).toBeLessThan(0.011);
});

test('all rows of a kernel share the points, each in its own range', () => {
  const view = matrixViewOf([40, 6], 'kernel');
  const values = normals(240, 32).map((value, i) => value * (1 + (i % 6)));
  const form = quantizeToPoints(values, view, { ...usual, bucket: 'row' }, new Random(1));
  expect(form.scales).toHaveLength(6);
  expect(commonLevels(form)).toBeUndefined();
  expect(form.table).toHaveLength(4);
  expect(holdsItsLevels(values, form)).toBe(true);
});

test('with three points, weights of the whole tensor are ternary and their levels are told', () => {
  const { result, form } = quantized(normals(200, 33), { points: 3, bucket: 'none' });
  expect([...new Set(result)].sort((a, b) => a - b)).toEqual(commonLevels(form));
  expect(commonLevels(form)).toHaveLength(3);
  expect(form.scales).toBeUndefined();
});

test('a weight with fewer numbers than a bucket is one bucket', () => {
  const values = normals(50, 36);
  const { result, form } = quantized(values, { bucket: 256 });
  expect(form.scales).toHaveLength(1);
  expect(result).toEqual(quantized(values, { bucket: 'tensor' }).result);
});

test('a constant bucket stays as it is', () => {
  const values = [...normals(4, 34), 0.5, 0.5, 0.5, 0.5];
  expect(quantized(values, { bits: 1, bucket: 4 }).result.subarray(4)).toEqual(Float32Array.of(0.5, 0.5, 0.5, 0.5));
});

test('a weight that is not a number stays so', () => {
  expect(quantized([1, NaN, 3, 2], { bucket: 'none', bits: 1 }).result[1]).toBeNaN();
});

test('given points take the place of fitted ones', () => {
  const values = normals(60, 35);
  const fitted = values.slice();
  const { table } = quantizeToPoints(fitted, vector(60), { ...usual, bucket: 8 }, new Random(1));
  const given = values.slice();
  expect(quantizeToPoints(given, vector(60), { ...usual, bucket: 8 }, table).table).toEqual(table);
  expect(given).toEqual(fitted);
});
