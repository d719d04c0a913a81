/** @file The median and other percentiles of what was measured. */

/**
 * @param values at least one
 * @param percent 0 to 100: of the values, so many percent are at most the result, which lies between two of them
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}
