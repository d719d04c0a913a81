/** @file The size of a pruned weight, measured and predicted: the non-zero weights and where they stand. */
import { FLOAT_BITS, type CompressedSize } from '../../size.ts';
import { prunedCount } from './rate.ts';

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
