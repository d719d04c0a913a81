/**
 * @file A million points on a thousand pixels without losing a spike: of every pixel column the first, the least, the greatest
 * and the last point are drawn, and where a value is missing, a gap. The line then covers the same pixels as the full one.
 */
import type { Scale } from './content.ts';
import { lowerBound } from './search.ts';
import { fits, fromPlace, placeable, toPlace } from './scale.ts';
import type { Range } from './scale.ts';

export interface Point {
  readonly x: number;
  /** NaN: the line is broken here. */
  readonly y: number;
}

/** At most this many points of a pixel column are drawn. */
export const POINTS_PER_COLUMN = 5;

export interface DownsampleOptions {
  readonly window: Range;
  readonly xScale: Scale;
  readonly yScale: Scale;
  /** Width in pixels. */
  readonly columns: number;
}

/**
 * The points to draw of a series, in the order of x: those in the window and one on either side, so that lines run to the
 * edge. At most `POINTS_PER_COLUMN * columns + 2`.
 * @param x not decreasing
 */
export function downsample(x: ArrayLike<number>, y: ArrayLike<number>, options: DownsampleOptions): Point[] {
  const { window, xScale, yScale, columns } = options;
  const first = lowerBound(x, window.minimum);
  const end = upperBound(x, window.maximum, first);
  const begin = Math.max(0, first - 1);
  const stop = Math.min(x.length, end + 1);
  const points: Point[] = [];
  const push = (index: number): void => {
    points.push({ x: x[index], y: fits(y[index], yScale) && fits(x[index], xScale) ? y[index] : NaN });
  };
  if (stop - begin <= 2 * columns) {
    for (let i = begin; i < stop; i++) push(i);
    return points;
  }

  if (begin < first) push(begin);
  const low = toPlace(window.minimum, xScale);
  const width = (toPlace(window.maximum, xScale) - low) / columns;
  let from = first;
  for (let column = 1; column <= columns && from < end; column++) {
    const to = column === columns ? end : upperBound(x, fromPlace(low + column * width, xScale), from, end);
    for (const index of extremes(y, from, to, yScale)) push(index);
    from = to;
  }
  if (end < stop) push(end);
  return points;
}

/** Indices, ascending, of what one column shows of the values from `from` up to, not including, `to`. */
function extremes(y: ArrayLike<number>, from: number, to: number, scale: Scale): number[] {
  if (to <= from) return [];
  // What `fits` says, as two comparisons: this is the loop over all points. NaN fails both.
  const [lowest, highest] = placeable(scale);
  let least = -1;
  let greatest = -1;
  let gap = -1;
  let minimum = Infinity;
  let maximum = -Infinity;
  for (let i = from; i < to; i++) {
    const value = y[i];
    if (!(value >= lowest && value <= highest)) {
      gap = i;
      continue;
    }
    if (value < minimum) {
      minimum = value;
      least = i;
    }
    if (value > maximum) {
      maximum = value;
      greatest = i;
    }
  }
  const chosen = [from, least, greatest, gap, to - 1].filter((index) => index >= 0).sort((a, b) => a - b);
  return chosen.filter((index, i) => i === 0 || index !== chosen[i - 1]);
}

/** Index of the first value above `value`. */
function upperBound(x: ArrayLike<number>, value: number, from = 0, to = x.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Marks in the window, at most one in `columns`; of those nearer to each other the first. */
export function thinned(x: ArrayLike<number>, window: Range, xScale: Scale, columns: number): number[] {
  const low = toPlace(window.minimum, xScale);
  const width = (toPlace(window.maximum, xScale) - low) / columns;
  const kept: number[] = [];
  let i = lowerBound(x, window.minimum);
  while (i < x.length && x[i] <= window.maximum) {
    kept.push(x[i]);
    const column = Math.floor((toPlace(x[i], xScale) - low) / width);
    i = Math.max(i + 1, lowerBound(x, fromPlace(low + (column + 1) * width, xScale), i));
  }
  return kept;
}
