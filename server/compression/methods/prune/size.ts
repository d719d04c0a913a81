/** @file The size of a pruned weight, measured and predicted: the non-zero weights and where they stand. */
import { GAP_BITS, RICE_BITS, smallestIndex } from '../../../formats/packed/sparseIndex.ts';
import { Random } from '../../../formats/random.ts';
import type { PruningParameters } from '../../../protocol/experiment/schema/compression.ts';
import { FLOAT_BITS, type CompressedSize } from '../../size.ts';
import type { MatrixView } from '../../targets/matrixView.ts';

/** 32 bits for every non-zero weight and the {@link smallestIndex}; never more than the dense weight. */
export function sparseSize(values: Float32Array): CompressedSize {
  const { bits, nonZeros } = smallestIndex(values);
  return { weightsKept: nonZeros, bits: Math.min(FLOAT_BITS * nonZeros + bits, FLOAT_BITS * values.length) };
}

/** What {@link sparseSize} is expected to be of weights whose zeros lie at random, in runs of `run` neighbours. */
export function expectedSparseSize(weights: number, zeros: number, run = 1): CompressedSize & { indexBits: number } {
  const kept = weights - zeros;
  const index = Math.round(run === 1 ? scatteredIndexBits(weights, zeros) : runsIndexBits(weights, zeros, run));
  return { weightsKept: kept, bits: Math.min(FLOAT_BITS * kept + index, FLOAT_BITS * weights), indexBits: index };
}

/**
 * The bits of the index where each zero lies at random by itself: a gap is `g` or longer with the probability `rate^g`, so that
 * `rate^m / (1 - rate^m)` times `m` zeros fit into it on average.
 */
function scatteredIndexBits(weights: number, zeros: number): number {
  const kept = weights - zeros;
  const codes = (most: number) => kept / (1 - (zeros / weights) ** most);
  const gaps = GAP_BITS.map((bits) => bits * codes(2 ** bits - 1));
  const rice = RICE_BITS.map((bits) => bits * kept + codes(2 ** bits));
  return Math.min(weights, ...gaps, ...rice);
}

/** Numbers of the sample, and the fewest runs in it. */
const SAMPLE = 1 << 16;
const FEWEST_RUNS = 512;

/** The same for runs, whose gaps have a few lengths that a Huffman code makes use of: measured on a sample. */
function runsIndexBits(weights: number, zeros: number, run: number): number {
  const runs = Math.max(FEWEST_RUNS, Math.floor(SAMPLE / run));
  const order = Uint32Array.from({ length: runs }, (_, i) => i);
  new Random(1).shuffle(order);
  const sample = new Uint8Array(runs * run).fill(1);
  for (const i of order.subarray(0, Math.round((runs * zeros) / weights))) sample.fill(0, i * run, (i + 1) * run);
  return Math.min(weights, (smallestIndex(sample).bits * weights) / sample.length);
}

/** How many zeros of a pattern stand side by side in memory. */
export function runOfZeros(
  { rows, inner, channels }: Pick<MatrixView, 'rows' | 'inner' | 'channels'>,
  { pattern, block }: Pick<PruningParameters, 'pattern' | 'block'>,
): number {
  if (block && channels) return 1;
  if (block) return inner > 1 ? Math.min(block[1], inner) : Math.min(block[0], rows);
  return pattern === 'unit' ? inner : 1;
}
