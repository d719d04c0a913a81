/** @file Weight histograms before and after a distortion, and the count of near-zero weights. */
import type { WeightHistogram } from '../protocol/run/events.ts';
import { countBins, momentsOf } from './kernels.ts';

/** A weight is near zero where `0 < |w| <` this times the standard deviation of its tensor. */
const NEAR_ZERO_DEVIATIONS = 0.01;

/**
 * Counts both arrays on the same `bins` equal-width bins, which span the values of both. Zeros and near-zeros are in the
 * bins and counted apart; near zero means 0 < |w| < 1% of the standard deviation of `before`. NaN and infinite values
 * are left out; without any finite value the range is [0, 0].
 */
export function weightHistogram(before: Float32Array, after: Float32Array, bins: number): WeightHistogram {
  const original = momentsOf(before);
  const changed = momentsOf(after);
  const minimum = Math.min(original.minimum, changed.minimum);
  const maximum = Math.max(original.maximum, changed.maximum);
  const range = minimum <= maximum ? { minimum, maximum } : { minimum: 0, maximum: 0 };
  const bound = NEAR_ZERO_DEVIATIONS * original.deviation;
  const countsBefore = countBins(before, range, bins, bound);
  const countsAfter = countBins(after, range, bins, bound);
  return {
    ...range,
    before: countsBefore.counts,
    after: countsAfter.counts,
    zerosBefore: countsBefore.zeros,
    zerosAfter: countsAfter.zeros,
    nearZerosBefore: countsBefore.nearZeros,
    nearZerosAfter: countsAfter.nearZeros,
  };
}

/** Number of weights with 0 < |w| < 1% of the standard deviation of the tensor. */
export function nearZeros(weights: Float32Array): number {
  const moments = momentsOf(weights);
  if (moments.minimum > moments.maximum) return 0;
  return countBins(weights, moments, 1, NEAR_ZERO_DEVIATIONS * moments.deviation).nearZeros;
}
