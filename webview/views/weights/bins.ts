/** @file Histograms on common bins: what can be laid over each other. Pure. */
import { zeroBin, type BinnedCounts } from '../../../server/protocol/run/zeroBin.ts';

/** Equal-width bins over [minimum, maximum]; minimum < maximum. */
export interface Bins {
  readonly minimum: number;
  readonly maximum: number;
  readonly count: number;
}

/** Counts on bins of their own. Where minimum = maximum, all that was counted lies at that one value. */
export interface Histogram extends BinnedCounts {
  /** How many of the counted values are exactly 0. */
  readonly zeros: number;
}

/** The bins that `histogram` has; around a single value, bins wide enough to be seen. */
export function ownBins({ minimum, maximum, counts }: Omit<Histogram, 'zeros'>): Bins {
  if (minimum < maximum) return { minimum, maximum, count: counts.length };
  const margin = Math.abs(minimum) / 2 || 0.5;
  return { minimum: minimum - margin, maximum: maximum + margin, count: counts.length };
}

/** Bins over all of `histograms`, as many as the finest of them has. */
export function commonBins(histograms: readonly Omit<Histogram, 'zeros'>[]): Bins {
  const all = histograms.map(ownBins);
  return {
    minimum: all.reduce((least, { minimum }) => Math.min(least, minimum), Infinity),
    maximum: all.reduce((most, { maximum }) => Math.max(most, maximum), -Infinity),
    count: all.reduce((most, { count }) => Math.max(most, count), 0),
  };
}

/** The `count + 1` bounds of bins, the last exactly the maximum. */
export function edges({ minimum, maximum, count }: Bins): Float64Array {
  return Float64Array.from({ length: count + 1 }, (_, i) => minimum + ((maximum - minimum) * i) / count);
}

/** Index of the bin with `value` in it, the nearest where none has. */
export function binOf({ minimum, maximum, count }: Bins, value: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor(((value - minimum) / (maximum - minimum)) * count)));
}

/**
 * Counts of a histogram on other bins. Within a bin, values are taken to be spread evenly; exact zeros go to the bin of 0.
 * The sum of the counts stays: what lies outside the new bins goes into the first or the last.
 * @param withZeros whether exact zeros are counted
 */
export function rebin(histogram: Histogram, to: Bins, { withZeros = true } = {}): Float64Array {
  const result = new Float64Array(to.count);
  const { counts, minimum, maximum } = histogram;
  if (to.count === 0 || counts.length === 0) return result;
  const from: Bins = { minimum, maximum, count: counts.length };
  const single = !(minimum < maximum);

  // Zeros are a spike in a bin, not spread over it: they are taken out and put in again as such.
  const binOfZeros = zeroBin(histogram, histogram.zeros);
  const zeros = binOfZeros === undefined ? 0 : histogram.zeros;
  if (zeros > 0 && withZeros) result[binOf(to, 0)] += zeros;

  const same = from.count === to.count && minimum === to.minimum && maximum === to.maximum;
  for (let bin = 0; bin < from.count; bin++) {
    const count = counts[bin] - (bin === binOfZeros ? zeros : 0);
    if (count <= 0) continue;
    if (same) result[bin] += count;
    else if (single) result[binOf(to, minimum)] += count;
    else
      spread(count, minimum + ((maximum - minimum) * bin) / from.count, (maximum - minimum) / from.count, to, result);
  }
  return result;
}

/** Adds `count` values that lie evenly in [low, low + width] to the bins. */
function spread(count: number, low: number, width: number, to: Bins, result: Float64Array): void {
  const scale = to.count / (to.maximum - to.minimum);
  // In units of new bins; rounding errors of exactly shared bounds are taken back, so that equal bins give equal counts.
  const begin = nearInteger((low - to.minimum) * scale);
  const end = nearInteger((low + width - to.minimum) * scale);
  const first = clampBin(Math.floor(begin), to.count);
  const last = Math.max(first, clampBin(Math.ceil(end) - 1, to.count));
  let left = count;
  for (let bin = first; bin < last; bin++) {
    const part = count * ((Math.min(end, bin + 1) - (bin === first ? begin : bin)) / (end - begin));
    result[bin] += part;
    left -= part;
  }
  result[last] += left;
}

function nearInteger(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value - rounded) < 1e-6 ? rounded : value;
}

function clampBin(bin: number, count: number): number {
  return Math.max(0, Math.min(count - 1, bin));
}
