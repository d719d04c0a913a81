/** @file Finding points by x in columns that do not decrease. */

/** Index of the first value that is at least `value`; the length where there is none. NaN anywhere is not expected. */
export function lowerBound(x: ArrayLike<number>, value: number, from = 0, to = x.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the value nearest to `value`, the earlier of two equally near; -1 of an empty column. */
export function nearestIndex(x: ArrayLike<number>, value: number): number {
  if (x.length === 0) return -1;
  const after = lowerBound(x, value);
  if (after === 0) return 0;
  if (after === x.length) return x.length - 1;
  return value - x[after - 1] <= x[after] - value ? after - 1 : after;
}
