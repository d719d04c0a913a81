/** The largest difference of two outputs, as a part of the largest number of the expected one or of 1. */
export function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  const numbers = Array.from(expected);
  const largest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return numbers.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0) / largest;
}
