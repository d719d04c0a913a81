/** @file The hysteresis of Dynamic Network Surgery (Guo et al. 2016, equation (3)): what is near the threshold stays as it was. */

/** The two thresholds, as parts of the one between them. */
const BAND = 0.1;

/**
 * Marks by 0 what is below the band around the threshold, by 1 what is at its upper end or above, and leaves what lies in between.
 * @param before marks so far
 */
export function splice(scores: ArrayLike<number>, threshold: number, before: Uint8Array): Uint8Array {
  const [low, high] = [threshold - BAND * Math.abs(threshold), threshold + BAND * Math.abs(threshold)];
  return before.map((mark, i) => (scores[i] < low ? 0 : scores[i] >= high ? 1 : mark));
}
