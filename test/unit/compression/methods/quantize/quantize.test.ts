import { expect, test } from 'vitest';
import { BinaryCodes } from '../../../../../server/compression/methods/quantize/binaryCodes.ts';
import { gatherRows, matrixViewOf } from '../../../../../server/compression/targets/matrixView.ts';
import { quantize } from '../../../../../server/compression/methods/quantize/quantize.ts';
import { normals } from '../../random.ts';

const parameters = { bits: 2, algorithm: 'alternating', scales: 'row', iterations: 2 } as const;

/** Views by their own words: the index of row r and column c of each kernel, spelled out. */
test.each([
  [
    'a dense kernel [inputs, units]: a row is a unit',
    [5, 3],
    'kernel',
    undefined,
    3,
    (r: number, c: number) => c * 3 + r,
  ],
  [
    'embeddings [words, units]: a row is a word',
    [5, 3],
    'embeddings',
    undefined,
    5,
    (r: number, c: number) => r * 3 + c,
  ],
  [
    'a recurrent kernel [units, 4 units]',
    [2, 8],
    'recurrent_kernel',
    undefined,
    8,
    (r: number, c: number) => c * 8 + r,
  ],
  [
    'a convolution [2, 2, 3 channels, 4 filters]',
    [2, 2, 3, 4],
    'kernel',
    'Conv2D',
    4,
    (r: number, c: number) => c * 4 + r,
  ],
  [
    'a depthwise convolution [2, 2, 3 channels, 2]: a row is an output channel',
    [2, 2, 3, 2],
    'depthwise_kernel',
    undefined,
    6,
    (r: number, c: number) => c * 6 + r,
  ],
  [
    'a transposed convolution [2, 2, 4 filters, 3 channels]: a row is a filter',
    [2, 2, 4, 3],
    'kernel',
    'Conv2DTranspose',
    4,
    (r: number, c: number) => Math.floor(c / 3) * 12 + r * 3 + (c % 3),
  ],
])('the matrix view of %s', (_, shape, weight, layerClass, rows, indexOf) => {
  const view = matrixViewOf(shape, weight, layerClass);
  const size = shape.reduce((a, b) => a * b);
  expect([view.rows, view.columns]).toEqual([rows, size / rows]);
  const gathered = new Float32Array(size);
  gatherRows(
    Float32Array.from({ length: size }, (_, i) => i),
    view,
    0,
    rows,
    gathered,
  );
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < view.columns; c++) expect(gathered[r * view.columns + c]).toBe(indexOf(r, c));
});

test.each([
  ['a dense kernel', [12, 37], 'kernel', undefined],
  ['embeddings', [37, 12], 'embeddings', undefined],
  ['a transposed convolution', [2, 3, 37, 2], 'kernel', 'Conv2DTranspose'],
])('every row of %s is quantized by itself', (_, shape, weight, layerClass) => {
  const view = matrixViewOf(shape, weight, layerClass);
  const values = normals(12 * 37, 4);
  const rows = new Float32Array(values.length);
  gatherRows(values, view, 0, 37, rows);

  const { scales, codes } = quantize(values, view, parameters);

  const quantized = new Float32Array(values.length);
  gatherRows(values, view, 0, 37, quantized);
  for (let row = 0; row < 37; row++) {
    const fit = new BinaryCodes(12, parameters);
    fit.fit(rows.subarray(row * 12, (row + 1) * 12));
    expect(scales.subarray(row * 2, (row + 1) * 2)).toEqual(fit.scales);
    for (let c = 0; c < 12; c++) {
      const code = codes[row * 12 + c];
      const [first, second] = fit.scales;
      const value = (code & 1 ? first : -first) + (code & 2 ? second : -second);
      expect(quantized[row * 12 + c]).toBe(Math.fround(value));
    }
  }
});

test('one set of scales for the matrix leaves 2^bits levels, which are reported', () => {
  const values = normals(600, 5);
  const { levels, scales } = quantize(values, matrixViewOf([20, 30], 'kernel'), { ...parameters, scales: 'matrix' });
  expect(scales).toHaveLength(2);
  expect([...new Set(values)].sort((a, b) => a - b)).toEqual(levels);
});
