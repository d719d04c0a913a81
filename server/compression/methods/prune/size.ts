/** @file The size of a pruned weight, measured and predicted: the non-zero weights and where they stand. */
import { GAP_BITS, RICE_BITS, smallestIndex } from '../../../formats/packed/sparseIndex.ts';
import { FLOAT_BITS, type CompressedSize } from '../../size.ts';
import { prunedCount } from './rate.ts';

/** 32 bits for every non-zero weight and the {@link smallestIndex}; never more than the dense weight. */
export function sparseSize(values: Float32Array): CompressedSize {
  const { bits, nonZeros } = smallestIndex(values);
  return { weightsKept: nonZeros, bits: Math.min(FLOAT_BITS * nonZeros + bits, FLOAT_BITS * values.length) };
}

/**
 * What {@link sparseSize} is expected to be of weights whose zeros lie at random: a gap is then `g` or longer with the probability
 * `rate^g`, so that `rate^m / (1 - rate^m)` times `m` zeros fit into it on average.
 */
export function expectedSparseSize(weights: number, rate: number): CompressedSize & { indexBits: number } {
  const kept = weights - prunedCount(rate, weights);
  const codes = (zeros: number) => kept / (1 - rate ** zeros);
  const gaps = GAP_BITS.map((bits) => bits * codes(2 ** bits - 1));
  const rice = RICE_BITS.map((bits) => bits * kept + codes(2 ** bits));
  const index = Math.round(Math.min(weights, ...gaps, ...rice));
  return { weightsKept: kept, bits: Math.min(FLOAT_BITS * kept + index, FLOAT_BITS * weights), indexBits: index };
}
