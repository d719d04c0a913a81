import { expect, test } from 'vitest';
import { quantizeToPoints } from '../../../../../server/compression/methods/quantize/points.ts';
import { scaledLevels } from '../../../../../server/compression/methods/quantize/scaledLevels.ts';
import { quantizeUniformly } from '../../../../../server/compression/methods/quantize/uniform.ts';
import { vector } from './levels.ts';

/** In buckets of three 1, 0, .75 | 1, 0, .181818 | 0. */
const full = Float32Array.of(0.3, -0.5, 0.1, 0.9, -0.2, 0, 0.4);
const parameters = { bits: 2, bucket: 3, start: 'uniform', iterations: 0 } as const;
const points = Float32Array.of(-0.25, 0.3, 0.6, 1.5);

test('points are those of all buckets, over the weights between the ends of each', () => {
  const form = quantizeToPoints(full.slice(), vector(7), parameters, points);
  const scaled = scaledLevels(full, form, 4);
  expect(scaled?.levels).toEqual([...points]);
  // 0, 0, .181818 and the constant bucket; none; none; .75, 1 and 1.
  expect(scaled?.counts).toEqual([4, 0, 0, 3]);
});

test('uniform levels are equally far apart, also of rows that are columns of the tensor', () => {
  const matrix = { outer: 3, rows: 2, inner: 1, columns: 3 };
  const values = Float32Array.of(0, 10, 1, 30, 2, 20);
  const form = quantizeUniformly(values.slice(), matrix, { bits: 2, bucket: 'row', symmetric: false });
  expect(scaledLevels(values, form, 4)).toEqual({ levels: [0, 1 / 3, 2 / 3, 1], counts: [2, 0, 2, 2] });
});

test('of a pruned weight the numbers that are kept are counted', () => {
  const kept = Float32Array.of(0.3, -0.5, 0.1, 0.9, -0.2);
  const numbers = quantizeToPoints(kept.slice(), vector(5), parameters, points);
  const pruned = Float32Array.of(0.3, 0, -0.5, 0.1, 0.9, 0, -0.2);
  const form = { form: 'sparse', kept: { positions: Uint32Array.of(0, 2, 3, 4, 6), numbers } } as const;
  expect(scaledLevels(pruned, form, 4)?.counts).toEqual([2, 0, 0, 3]);
});

test('a number that has left its bucket is counted at the end', () => {
  const form = quantizeToPoints(full.slice(), vector(7), parameters, points);
  const moved = Float32Array.from(full, (value) => 100 * value);
  expect(scaledLevels(moved, form, 4)?.counts.reduce((sum, count) => sum + count, 0)).toBe(7);
});

test('levels of one bucket, and of none, are in the weights themselves', () => {
  const one = quantizeToPoints(full.slice(), vector(7), { ...parameters, bucket: 'tensor' }, points);
  const none = quantizeToPoints(full.slice(), vector(7), { ...parameters, bucket: 'none' }, points);
  expect([one, none].map((form) => scaledLevels(full, form, 4))).toEqual([undefined, undefined]);
  expect(scaledLevels(full, { form: 'sparse' }, 4)).toBeUndefined();
});
