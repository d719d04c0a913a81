/** @file Weight histograms before and after a distortion, and the count of near-zero weights. */
import type { WeightHistogram } from '../protocol/events.ts';

/** A weight is near zero where `0 < |w| <` this times the standard deviation of its tensor. */
const NEAR_ZERO_DEVIATIONS = 0.01;

/**
 * Counts both arrays on the same `bins` equal-width bins, which span the values of both. Zeros and near-zeros are in the
 * bins and counted apart; near zero means 0 < |w| < 1% of the standard deviation of `before`. NaN and infinite values
 * are left out.
 */
export function weightHistogram(before: Float32Array, after: Float32Array, bins: number): WeightHistogram {
  const original = momentsOf(before);
  const changed = momentsOf(after);
  const minimum = Math.min(original.minimum, changed.minimum);
  const maximum = Math.max(original.maximum, changed.maximum);
  if (minimum > maximum) return emptyHistogram(bins);
  const bound = NEAR_ZERO_DEVIATIONS * original.deviation;
  const scale = maximum > minimum ? bins / (maximum - minimum) : 0;
  const countsBefore = countBins(before, original, minimum, scale, bins, bound);
  const countsAfter = countBins(after, changed, minimum, scale, bins, bound);
  return {
    minimum,
    maximum,
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
  const bound = NEAR_ZERO_DEVIATIONS * momentsOf(weights).deviation;
  let count = 0;
  for (let i = 0; i < weights.length; i++) {
    const magnitude = Math.abs(weights[i]);
    if (magnitude < bound && magnitude > 0) count++;
  }
  return count;
}

interface Moments {
  minimum: number;
  maximum: number;
  /** Population standard deviation. */
  deviation: number;
  /** Number of finite values. */
  finite: number;
}

/** Over the finite values; `minimum > maximum` where there are none. */
function momentsOf(values: Float32Array): Moments {
  let minimum = Infinity;
  let maximum = -Infinity;
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!(Math.abs(value) < Infinity)) continue;
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
    sum += value;
    squares += value * value;
    count++;
  }
  const mean = count > 0 ? sum / count : 0;
  const variance = count > 0 ? squares / count - mean * mean : 0;
  return { minimum, maximum, deviation: Math.sqrt(Math.max(variance, 0)), finite: count };
}

function countBins(
  values: Float32Array,
  { finite }: Moments,
  minimum: number,
  scale: number,
  bins: number,
  bound: number,
) {
  // Neighbours count into different halves, so that many equal values do not wait for one another. The last element of
  // a half takes the maximum, which belongs to the bin before.
  const half = bins + 1;
  const counts = new Int32Array(2 * half);
  let zeros = 0;
  let nearZeros = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    counts[(i & 1) * half + (((value - minimum) * scale) | 0)]++;
    if (value === 0) zeros++;
    else if (Math.abs(value) < bound) nearZeros++;
  }
  // NaN and infinite values become index 0.
  counts[0] -= values.length - finite;
  const merged = Array.from({ length: bins }, (_, bin) => counts[bin] + counts[half + bin]);
  merged[bins - 1] += counts[bins] + counts[half + bins];
  return { counts: merged, zeros, nearZeros };
}

function emptyHistogram(bins: number): WeightHistogram {
  const none = { zerosBefore: 0, zerosAfter: 0, nearZerosBefore: 0, nearZerosAfter: 0 };
  return { minimum: 0, maximum: 0, before: Array(bins).fill(0), after: Array(bins).fill(0), ...none };
}
