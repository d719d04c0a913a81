/**
 * @file Weight distortion to 0 and powers of two, so that a product is a shift (Zhou et al. 2017, "Incremental network quantization").
 * A code of b bits has a sign and 2^(b-1) - 1 magnitudes, each half of the one before.
 */
import { roundToTable } from '../../levelKernels.ts';
import type { MatrixView } from '../../targets/matrixView.ts';
import { bucketsOf } from './buckets.ts';
import type { TableForm } from './levelForm.ts';

/** Halves of binades, `[2^e, 1.5 2^e)` and `[1.5 2^e, 2^(e+1))`, by the leading bits of a float32: exponent and first bit of its fraction. */
const HALVES = 512;
const LEADING_BITS = 22;
const EXPONENT_BIAS = 127;

/** Replaces each number by the nearest of the levels, whose greatest is the power of two of least squared error. */
export function quantizeToPowersOfTwo(
  values: Float32Array,
  view: MatrixView,
  { bits }: { readonly bits: number },
): TableForm {
  const magnitudes = 2 ** (bits - 1) - 1;
  const positive = Array.from({ length: magnitudes }, (_, i) => 2 ** (i + 1 - magnitudes));
  const { view: order, length } = bucketsOf('tensor', view);
  const form: TableForm = {
    form: 'levels',
    table: Float32Array.of(...positive.map((level) => -level).reverse(), 0, ...positive),
    view: order,
    bucket: length,
    scales: Float32Array.of(2 ** bestExponent(values, magnitudes)),
  };
  roundToTable(values, form);
  return form;
}

/**
 * The exponent of the greatest of `magnitudes` powers of two with which the squared error is least; the highest of several. All
 * numbers of a {@link HALVES half of a binade} become the same level, so that sums over each half tell the error of every choice.
 */
function bestExponent(values: Float32Array, magnitudes: number): number {
  const { counts, sums, squares } = halvesOf(values);
  const present = Array.from(counts.keys()).filter((half) => counts[half] > 0);
  const exponents = [...new Set(present.map(nearestExponent))].reverse();
  let best = 0;
  let least = Infinity;
  for (const greatest of exponents) {
    const smallest = greatest - magnitudes + 1;
    const error = present.reduce((sum, half) => {
      const level = levelOf(half, smallest, greatest);
      return sum + squares[half] + level * (level * counts[half] - 2 * sums[half]);
    }, 0);
    if (error >= least) continue;
    best = greatest;
    least = error;
  }
  return best;
}

/** Exponent of the power of two that is nearest to the numbers of a half. */
function nearestExponent(half: number): number {
  return Math.ceil(half / 2) - EXPONENT_BIAS;
}

/** What the magnitudes of a half become: below the half of the smallest level, 0. */
function levelOf(half: number, smallest: number, greatest: number): number {
  if (Math.floor(half / 2) - EXPONENT_BIAS < smallest - 1) return 0;
  return 2 ** Math.max(smallest, Math.min(nearestExponent(half), greatest));
}

/** How many magnitudes lie in each half, their sum and that of their squares. */
function halvesOf(values: Float32Array) {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Float64Array(HALVES);
  const sums = new Float64Array(HALVES);
  const squares = new Float64Array(HALVES);
  for (let i = 0; i < words.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (!(magnitude > 0 && magnitude < Infinity)) continue;
    const half = (words[i] & 0x7fff_ffff) >> LEADING_BITS;
    counts[half]++;
    sums[half] += magnitude;
    squares[half] += magnitude * magnitude;
  }
  return { counts, sums, squares };
}
