/** @file The bin of a recorded histogram that has the exact zeros in it: views take them out, as they would hide all others. */

/** Counts on equal-width bins over [minimum, maximum], as a run records them. */
export interface BinnedCounts {
  readonly minimum: number;
  readonly maximum: number;
  readonly counts: ArrayLike<number>;
}

/**
 * Index of the bin with the zeros; undefined where there are none. Where 0 lies on a bound of two bins, the counting may have rounded it to
 * either side: the zeros are in the one that has room for them.
 * @param zeros how many of the counted values are exactly 0
 */
export function zeroBin({ minimum, maximum, counts }: BinnedCounts, zeros: number): number | undefined {
  if (zeros === 0) return undefined;
  // Values that are all the same lie in one bin, whichever.
  if (!(minimum < maximum)) return Array.from(counts).findIndex((count) => count > 0);
  const place = Math.floor((-minimum / (maximum - minimum)) * counts.length);
  return [place, place - 1, place + 1].find((bin) => bin >= 0 && bin < counts.length && counts[bin] >= zeros);
}
