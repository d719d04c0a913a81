/**
 * @file Weight distortion to fixed-point numbers: `k 2^-f` for the integers k of a few bits in two's complement, whose last f bits are
 * the fraction (Gupta et al. 2015, "Deep learning with limited numerical precision").
 */
import { momentsOf } from '../../kernels.ts';
import { roundToUniformLevels } from '../../levelKernels.ts';
import type { MatrixView } from '../../targets/matrixView.ts';
import { bucketsOf } from './buckets.ts';
import type { LevelForm } from './levelForm.ts';
import { uniformForm } from './uniform.ts';

export interface FixedPointParameters {
  /** All bits of a number: sign, integer and fraction. */
  readonly bits: number;
  /** Bits f of the fraction; where they are not given, those of least squared error are chosen. */
  readonly fractionBits?: number | undefined;
}

/** Fractions that are tried beyond the longest with which no number is too large: then the largest numbers are cut off. */
const LONGER_FRACTIONS = 3;

/**
 * Replaces each number by the nearest fixed-point number, the largest of them where it is too large; with a seed, by one of the two
 * around it at random.
 */
export function quantizeToFixedPoint(
  values: Float32Array,
  view: MatrixView,
  { bits, fractionBits }: FixedPointParameters,
  seed?: number,
): LevelForm {
  const levels = fixedPointLevels(values, bits, fractionBits ?? bestFraction(values, bits));
  roundToUniformLevels(values, levels, seed);
  return uniformForm(levels, bucketsOf('tensor', view));
}

/** The integers of two's complement are equally far apart: `2^bits` levels from `-2^(bits - 1)` on. All of them are exact. */
function fixedPointLevels(values: Float32Array, bits: number, fractionBits: number) {
  const unit = 2 ** -fractionBits;
  return {
    count: 2 ** bits,
    bucket: values.length,
    scales: Float32Array.of((2 ** bits - 1) * unit),
    offsets: Float32Array.of(-(2 ** (bits - 1)) * unit),
  };
}

/** The fraction with which rounding has the least squared error; the shortest of several. */
export function bestFraction(values: Float32Array, bits: number): number {
  const { minimum, maximum } = momentsOf(values);
  const units = Math.max(maximum / (2 ** (bits - 1) - 1), -minimum / 2 ** (bits - 1));
  if (!(units > 0)) return 0;
  const fitting = Math.floor(-Math.log2(units));
  let best = fitting;
  let least = Infinity;
  const rounded = new Float32Array(values.length);
  for (let fractionBits = fitting; fractionBits <= fitting + LONGER_FRACTIONS; fractionBits++) {
    rounded.set(values);
    roundToUniformLevels(rounded, fixedPointLevels(values, bits, fractionBits));
    const error = squaredError(values, rounded);
    if (error >= least) continue;
    best = fractionBits;
    least = error;
  }
  return best;
}

function squaredError(values: Float32Array, approximation: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const difference = values[i] - approximation[i];
    sum += difference * difference;
  }
  return sum;
}
