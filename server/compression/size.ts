/**
 * @file How many bits a compressed weight would take in a file, and what a model would take in all. Everything that is needed to
 * read the weight back is counted; docs/compression.md has the formulas.
 */
import { elementCount, floatBytes } from '../protocol/shape.ts';
import type { LayerSize, SizeLeft } from '../protocol/run/events.ts';
import { storedShape, type MatrixView } from './targets/matrixView.ts';
import { prunedCount } from './schedule.ts';
import { isMatrix } from './targets/targets.ts';

const FLOAT_BITS = 32;

/** Numbers that remain of a weight, and the bits that they take with indices and scales. */
export interface CompressedSize {
  readonly weightsKept: number;
  readonly bits: number;
}

export function denseSize(weights: number): CompressedSize {
  return { weightsKept: weights, bits: FLOAT_BITS * weights };
}

/** How the positions of the non-zero weights are stored. */
export type SparseIndex = { readonly kind: 'bitmask' } | { readonly kind: 'gaps'; readonly bits: number };

/** Widths of a gap that are tried: at 2 the bitmask is nearly always smaller already, at 16 gaps cost half a weight. */
const GAP_BITS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] as const;

/**
 * The smaller index of the non-zero weights: a bitmask of one bit a weight, or the number of zeros before each non-zero
 * weight in codes of a fixed width. The largest code, `2^bits - 1`, stands for that many zeros with no weight behind them.
 */
export function smallestIndex(values: Float32Array): { index: SparseIndex; bits: number; nonZeros: number } {
  const codes = new Float64Array(GAP_BITS.length);
  let nonZeros = 0;
  let zeros = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) {
      zeros++;
      continue;
    }
    nonZeros++;
    for (let width = 0; width < GAP_BITS.length; width++)
      codes[width] += 1 + Math.floor(zeros / (2 ** GAP_BITS[width] - 1));
    zeros = 0;
  }
  let smallest: { index: SparseIndex; bits: number } = { index: { kind: 'bitmask' }, bits: values.length };
  GAP_BITS.forEach((bits, width) => {
    if (bits * codes[width] < smallest.bits) smallest = { index: { kind: 'gaps', bits }, bits: bits * codes[width] };
  });
  return { ...smallest, nonZeros };
}

/** 32 bits for every non-zero weight and the {@link smallestIndex}; never more than the dense weight. */
export function sparseSize(values: Float32Array): CompressedSize {
  const { bits, nonZeros } = smallestIndex(values);
  return { weightsKept: nonZeros, bits: Math.min(FLOAT_BITS * nonZeros + bits, FLOAT_BITS * values.length) };
}

/**
 * What {@link sparseSize} is expected to be of weights whose zeros lie at random: a non-zero weight then follows `2^bits - 1`
 * zeros or more with the probability `rate^(2^bits - 1)`, twice as many with its square, …
 */
export function expectedSparseSize(weights: number, rate: number): CompressedSize {
  const kept = weights - prunedCount(rate, weights);
  const gaps = GAP_BITS.map((bits) => (bits * kept) / (1 - rate ** (2 ** bits - 1)));
  const index = Math.round(Math.min(weights, ...gaps));
  return { weightsKept: kept, bits: Math.min(FLOAT_BITS * kept + index, FLOAT_BITS * weights) };
}

/** `bits` a weight, and as many 32-bit scales a row or for the matrix. */
export function binaryCodeSize(view: MatrixView, bits: number, scales: 'row' | 'matrix'): CompressedSize {
  const weights = view.rows * view.columns;
  const sets = scales === 'row' ? view.rows : 1;
  return { weightsKept: weights, bits: bits * weights + FLOAT_BITS * bits * sets };
}

/**
 * The factors of a weight [m, n_0], `r (m + n_0)`, and of each weight [m, n_i] that shares its projection [m, r], `r n_i`; all
 * dense where that is fewer.
 */
export function factoredSizes(unit: readonly MatrixView[], rank: number): CompressedSize[] {
  const [{ rows }] = unit.map(storedShape);
  const columns = unit.map((view) => storedShape(view).columns);
  const factored = columns.map((count, i) => rank * (i === 0 ? rows + count : count));
  const dense = columns.map((count) => rows * count);
  const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
  return (total(factored) < total(dense) ? factored : dense).map(denseSize);
}

/** What is left of a weight, as events have it. */
export function sizeLeft({ weightsKept, bits }: CompressedSize): SizeLeft {
  return { weightsKept, bytesKept: Math.ceil(bits / 8) };
}

/** The row of a weight in the size table: bytes of the dense and of the compressed weight. */
export function layerSize(name: string, shape: readonly number[], size: CompressedSize): LayerSize {
  const { weightsKept, bytesKept } = sizeLeft(size);
  return { name, shape: [...shape], weights: elementCount(shape), weightsKept, bytes: floatBytes(shape), bytesKept };
}

/** Sizes of a model in all. `weights`, `weightsKept` and their ratio leave biases and other vectors out; bytes do not. */
export interface ModelSize {
  readonly weights: number;
  readonly weightsKept: number;
  readonly weightRatio: number;
  readonly bytes: number;
  readonly bytesKept: number;
  readonly byteRatio: number;
}

/** Adds up the rows of the size table. A ratio is 0 where nothing is kept. */
export function modelSize(layers: readonly LayerSize[]): ModelSize {
  const total = { weights: 0, weightsKept: 0, bytes: 0, bytesKept: 0 };
  for (const layer of layers) {
    total.bytes += layer.bytes;
    total.bytesKept += layer.bytesKept;
    if (!isMatrix(layer)) continue;
    total.weights += layer.weights;
    total.weightsKept += layer.weightsKept;
  }
  return {
    ...total,
    weightRatio: total.weightsKept > 0 ? total.weights / total.weightsKept : 0,
    byteRatio: total.bytesKept > 0 ? total.bytes / total.bytesKept : 0,
  };
}
