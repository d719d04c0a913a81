/** @file A few of many, evenly spread. */

/** At most `count` of the indices below `length`, evenly spread, the first and the last among them. */
export function evenly(length: number, count: number): number[] {
  if (length <= count) return Array.from({ length }, (_, index) => index);
  if (count < 2) return length > 0 ? [length - 1] : [];
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / (count - 1)));
}
