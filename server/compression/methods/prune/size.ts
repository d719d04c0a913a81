/** @file The size of a pruned weight, measured and predicted: the non-zero weights and where they stand. */
import { GAP_BITS, RICE_BITS, smallestIndex } from '../../../formats/packed/sparseIndex.ts';
import type { PruningParameters } from '../../../protocol/experiment/schema/compression.ts';
import { FLOAT_BITS, type CompressedSize } from '../../size.ts';
import type { MatrixView } from '../../targets/matrixView.ts';

/** 32 bits for every non-zero weight and the {@link smallestIndex}; never more than the dense weight. */
export function sparseSize(values: Float32Array): CompressedSize {
  const { bits, nonZeros } = smallestIndex(values);
  return { weightsKept: nonZeros, bits: Math.min(FLOAT_BITS * nonZeros + bits, FLOAT_BITS * values.length) };
}

/**
 * What {@link sparseSize} is expected to be of weights whose zeros lie at random, in runs of `run` neighbours. A gap is then `g run` or
 * longer with the probability `rate^g`, and only the first weight after a run of zeros has one.
 */
export function expectedSparseSize(weights: number, zeros: number, run = 1): CompressedSize & { indexBits: number } {
  const kept = weights - zeros;
  const rate = zeros / weights;
  /** Codes, of which one can stand for `most` zeros: one for each weight, and one for each `most` zeros before it. */
  const codes = (most: number) => kept * (1 + expectedParts(rate, most, run) / run);
  const gaps = GAP_BITS.map((bits) => bits * codes(2 ** bits - 1));
  const rice = RICE_BITS.map((bits) => bits * kept + codes(2 ** bits));
  const index = Math.round(Math.min(weights, ...gaps, ...rice));
  return { weightsKept: kept, bits: Math.min(FLOAT_BITS * kept + index, FLOAT_BITS * weights), indexBits: index };
}

/** How many times `most` zeros fit into a gap, on average: `sum_k P(gap >= k most)`, a geometric series with `run` summands a period. */
function expectedParts(rate: number, most: number, run: number): number {
  let period = 0;
  for (let k = 1; k <= run; k++) period += rate ** Math.ceil((k * most) / run);
  return period / (1 - rate ** most);
}

/** How many zeros of a pattern stand side by side in memory. */
export function runOfZeros(
  { rows, inner }: Pick<MatrixView, 'rows' | 'inner'>,
  { pattern, block }: Pick<PruningParameters, 'pattern' | 'block'>,
): number {
  if (block) return inner > 1 ? Math.min(block[1], inner) : Math.min(block[0], rows);
  return pattern === 'unit' ? inner : 1;
}
