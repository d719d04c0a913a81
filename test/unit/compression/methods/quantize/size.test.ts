import { expect, test } from 'vitest';
import { createCompressor } from '../../createCompressor.ts';
import { binaryCodeSize } from '../../../../../server/compression/methods/quantize/size.ts';
import { quantizerOf } from '../../../../../server/compression/methods/quantize/quantizers.ts';
import { matrixViewOf } from '../../../../../server/compression/targets/matrixView.ts';
import {
  quantizationParameters,
  type LevelsKind,
} from '../../../../../server/protocol/experiment/schema/quantization.ts';
import { normals } from '../../random.ts';
import { compressions } from '../weights.ts';

const FLOAT_BITS = 32;

test('binary codes take k bits a weight and 32 k bits a row', () => {
  const view = matrixViewOf([300, 1200], 'recurrent_kernel');
  expect(binaryCodeSize(view, 3, 'row').bits).toBe(3 * 300 * 1200 + 32 * 3 * 1200);
  expect(binaryCodeSize(view, 3, 'matrix').bits).toBe(3 * 300 * 1200 + 32 * 3);
});

const predicted = (shape: [number, number], parameters: object) =>
  quantizerOf(quantizationParameters.parse(parameters)).predictSize(matrixViewOf(shape, 'kernel')).bits;

// Polino et al. 2018: k f / (k b + 2 f) with buckets of k = 256 and f = 32 bits.
test.each([
  [2, 14.22],
  [4, 7.53],
  [8, 3.88],
])('uniform codes of %i bits in buckets of 256 are a %f-th of the weights', (bits, ratio) => {
  const [rows, columns] = [1024, 1000];
  const size = predicted([rows, columns], { levels: 'uniform', bits });
  expect((FLOAT_BITS * rows * columns) / size).toBeCloseTo(ratio, 2);
});

test('centroids take log2 k bits a weight and 32 bits each: the ratio of Deep Compression', () => {
  const [n, k] = [300 * 100, 2 ** 5];
  const size = predicted([300, 100], { levels: 'points', bits: 5, bucket: 'none' });
  expect((FLOAT_BITS * n) / size).toBe((n * FLOAT_BITS) / (n * Math.log2(k) + k * FLOAT_BITS));
});

// NumPy on 1,024,000 other normal numbers in buckets of 256: mean length of the Huffman codes, size of the weights in that of the codes.
// The table of the code's lengths and the points, which a file has besides, are less than 0.4% here, and the mean length of 256,000 codes
// varies by 0.002 bits.
test.each<[LevelsKind, object, number, number | undefined]>([
  ['uniform', { bits: 2 }, 1.608, 17.2],
  ['uniform', { bits: 4 }, 3.535, 8.46],
  ['uniform', { bits: 8 }, 7.588, 4.08],
  ['points', { bits: 2, start: 'quantiles', iterations: 0 }, 1.678, undefined],
  ['points', { bits: 4, start: 'quantiles', iterations: 0 }, 3.96, undefined],
  // Its codes are of 7.999 bits: those of 8 need no table.
  ['points', { bits: 8, start: 'quantiles', iterations: 0 }, 8, undefined],
])(
  '%s %j of normal weights have the Huffman codes of an independent implementation',
  async (levels, own, mean, ratio) => {
    const [rows, columns] = [250, 1024];
    const values = normals(rows * columns, 51);
    const fc = { name: 'fc/kernel', layer: 'fc', weight: 'kernel', shape: [rows, columns], values };
    const quantization = compressions({ method: 'quantize', distortEvery: 1, layers: { fc: { levels, ...own } } });
    const compressor = createCompressor(quantization, [fc], { steps: 1, seed: 1 });
    await compressor.distort(1);
    const [{ bytesKept }] = compressor.sizes([fc]);
    const scales = (2 * FLOAT_BITS * values.length) / 256;
    expect(Math.abs((8 * bytesKept - scales) / values.length / mean - 1)).toBeLessThan(0.006);
    if (ratio !== undefined) expect(Math.abs((4 * values.length) / bytesKept / ratio - 1)).toBeLessThan(0.006);
  },
);

test('a million weights of 4 bits take the 473,125 bytes of the published estimate, and what it leaves out', async () => {
  // b n / 8 + 8 n / k with the mean length b = 3.535 of the codes.
  const values = normals(1_000_000, 52);
  const fc = { name: 'fc/kernel', layer: 'fc', weight: 'kernel', shape: [1000, 1000], values };
  const compression = { method: 'quantize', distortEvery: 1, layers: { fc: { levels: 'uniform', bits: 4 } } } as const;
  const compressor = createCompressor(compression, [fc], { steps: 1, seed: 1 });
  await compressor.distort(1);
  const [{ bytesKept }] = compressor.sizes([fc]);
  expect(Math.abs(bytesKept / 473_125 - 1)).toBeLessThan(0.002);
  expect((4 * values.length) / bytesKept).toBeCloseTo(8.45, 1);
});
