/** @file From content and a width in pixels to what is drawn: ranges of both axes and a bounded number of points. Pure. */
import type { ChartContent, Series } from './content.ts';
import { downsample, thinned } from './downsample.ts';
import type { Point } from './downsample.ts';
import { axisRange, Extent, fits } from './scale.ts';
import type { Range } from './scale.ts';
import { lowerBound } from './search.ts';
import { smoothed } from './smooth.ts';

export interface Stem {
  readonly x: number;
  readonly from: number;
  readonly to: number;
}

export interface DrawnSeries {
  readonly series: Series;
  readonly points: readonly Point[];
  /** Faint behind `points`, where those are smoothed. */
  readonly raw?: readonly Point[];
  readonly stems?: readonly Stem[];
  /** The lower edge of a band, whose upper edge are `points`. */
  readonly lower?: readonly Point[];
  /** Level down to which bins are filled. */
  readonly base?: number;
}

export interface Layout {
  /** The x axis when it is not zoomed. */
  readonly bounds: Range;
  readonly x: Range;
  /** True where `x` is a part of the axis that was asked for. */
  readonly isZoomed: boolean;
  readonly y: Range;
  readonly drawn: readonly DrawnSeries[];
  readonly marks: readonly number[];
  /** True if there is a point at all, hidden or not. */
  readonly isEmpty: boolean;
  /** True where the first points of an axis that settles are above it. */
  readonly startsAbove: boolean;
  /** Points that a log axis has no place for, of the visible series. */
  readonly leftOut: number;
}

/** Averages of the arrays that were smoothed last: zooming does not compute them again. */
export class SmoothingMemory {
  readonly #known = new WeakMap<object, { weight: number; length: number; values: Float64Array }>();

  of(y: ArrayLike<number>, weight: number): ArrayLike<number> {
    if (weight <= 0) return y;
    const known = this.#known.get(y);
    if (known?.weight === weight && known.length === y.length) return known.values;
    const values = smoothed(y, weight);
    this.#known.set(y, { weight, length: y.length, values });
    return values;
  }
}

/**
 * @param window what is seen of the x axis; undefined, or beside everything that there is: all
 * @param columns width in pixels
 */
export function layout(
  content: ChartContent,
  window: Range | undefined,
  columns: number,
  hidden: ReadonlySet<string>,
  smoothing = new SmoothingMemory(),
): Layout {
  const xScale = content.x.scale ?? 'linear';
  const yScale = content.y.scale ?? 'linear';
  const visible = content.series.filter((series) => !hidden.has(series.id));
  const bounds = xBounds(content, visible.length > 0 ? visible : content.series);
  const isZoomed = window !== undefined && window.minimum < bounds.maximum && window.maximum > bounds.minimum;
  const x = isZoomed ? window : bounds;
  const options = { window: x, xScale, yScale, columns };

  const extent = new Extent();
  let leftOut = 0;
  const drawn = visible.map((series): DrawnSeries => {
    if (yScale === 'log' && series.mark !== 'bins') leftOut += countNotPositive(series.y);
    switch (series.mark ?? 'line') {
      case 'bins': {
        const { points, base } = binOutline(series, x, yScale === 'log');
        addVisible(extent, points, x, yScale);
        return { series, points, base };
      }
      case 'band': {
        const weight = series.smooth ? (content.smoothing ?? 0) : 0;
        const [points, lower] = [series.y, series.from ?? series.y].map((edge) =>
          downsample(series.x, smoothing.of(edge, weight), options),
        );
        for (const edge of [points, lower]) addVisible(extent, edge, x, yScale);
        return { series, points, lower };
      }
      case 'intervals':
      case 'stems': {
        const stems = stemsOf(series, x, columns);
        for (const stem of stems) {
          extent.add(stem.from, yScale);
          extent.add(stem.to, yScale);
        }
        return { series, stems, points: [] };
      }
      case 'points':
      case 'line': {
        const raw = downsample(series.x, series.y, options);
        addVisible(extent, raw, x, yScale);
        const weight = series.smooth ? (content.smoothing ?? 0) : 0;
        if (weight <= 0) return { series, points: raw };
        return { series, points: downsample(series.x, smoothing.of(series.y, weight), options), raw };
      }
    }
  });
  for (const reference of content.references ?? []) if (reference.axis === 'y') extent.add(reference.value, yScale);

  const settled = content.y.settles && yScale === 'linear' && !isZoomed ? settledExtent(drawn, x) : extent;
  const startsAbove =
    !settled.isEmpty && extent.maximum - settled.maximum > FAR_ABOVE * (settled.maximum - settled.minimum);
  const automatic = axisRange(startsAbove ? settled : extent, yScale, 0.05);
  // The margin does not lead to values that the data never have.
  const standsOnZero = yScale === 'linear' && extent.minimum >= 0 && automatic.minimum < 0 && !extent.isEmpty;
  const lower = content.y.minimum ?? (standsOnZero ? 0 : automatic.minimum);
  const upper = content.y.maximum ?? Math.min(automatic.maximum, content.y.limit ?? Infinity);
  return {
    bounds,
    x,
    isZoomed,
    y: lower < upper ? { minimum: lower, maximum: upper } : automatic,
    drawn,
    marks: content.marks ? thinned(content.marks.x, x, xScale, Math.max(1, Math.floor(columns / 5))) : [],
    startsAbove,
    isEmpty: content.series.every((series) => !hasPoint(series)),
    leftOut,
  };
}

/** The first part of an x axis, in which values may not have settled. */
const UNSETTLED = 0.03;
/** First values are left out where they exceed the others by more than this many times the span of the others. */
const FAR_ABOVE = 2;

/** The extent of the points that lie behind the first part of the x axis. */
function settledExtent(drawn: readonly DrawnSeries[], x: Range): Extent {
  const extent = new Extent();
  const from = { minimum: x.minimum + UNSETTLED * (x.maximum - x.minimum), maximum: x.maximum };
  for (const { points, raw = [], lower = [] } of drawn)
    for (const line of [points, raw, lower]) addVisible(extent, line, from, 'linear');
  return extent;
}

function xBounds(content: ChartContent, series: readonly Series[]): Range {
  const scale = content.x.scale ?? 'linear';
  const extent = new Extent();
  for (const { x } of series) {
    if (x.length === 0) continue;
    const first = scale === 'log' ? lowerBound(x, Number.MIN_VALUE) : 0;
    if (first < x.length) extent.add(x[first], scale);
    extent.add(x[x.length - 1], scale);
  }
  // A chart of points alone keeps them off its edges.
  const margin = series.some(({ mark }) => mark === 'points' || mark === 'intervals') ? 0.05 : 0;
  const automatic = axisRange(extent, scale, margin);
  const minimum = content.x.minimum ?? automatic.minimum;
  const maximum = content.x.maximum ?? automatic.maximum;
  return minimum < maximum ? { minimum, maximum } : automatic;
}

function addVisible(extent: Extent, points: readonly Point[], x: Range, yScale: 'linear' | 'log'): void {
  for (const point of points) if (point.x >= x.minimum && point.x <= x.maximum) extent.add(point.y, yScale);
}

function hasPoint({ y }: Series): boolean {
  for (let i = 0; i < y.length; i++) if (Number.isFinite(y[i])) return true;
  return false;
}

function countNotPositive(y: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < y.length; i++) if (y[i] <= 0) count++;
  return count;
}

/** The outline of a histogram, from its base up, along the bins, and down again. On a log axis a count of 0 is at the base. */
function binOutline({ x, y, base }: Series, window: Range, log: boolean): { points: Point[]; base: number } {
  let least = Infinity;
  if (log) for (let i = 0; i < y.length; i++) if (y[i] > 0 && y[i] < least) least = y[i];
  const bottom = base ?? (log ? (least === Infinity ? 0.5 : least / 2) : 0);
  const points: Point[] = [];
  const bins = Math.min(y.length, x.length - 1);
  for (let i = 0; i < bins; i++) {
    if (x[i + 1] < window.minimum || x[i] > window.maximum) continue;
    const height = fits(y[i], log ? 'log' : 'linear') ? y[i] : bottom;
    if (points.length === 0) points.push({ x: x[i], y: bottom });
    points.push({ x: x[i], y: height }, { x: x[i + 1], y: height });
  }
  const last = points.at(-1);
  if (last) points.push({ x: last.x, y: bottom });
  return { points, base: bottom };
}

/** At most two stems a pixel column: the one that rises most and the one that falls most. */
function stemsOf({ x, y, from }: Series, window: Range, columns: number): Stem[] {
  const stems: Stem[] = [];
  const first = lowerBound(x, window.minimum);
  let end = lowerBound(x, window.maximum, first);
  while (end < x.length && x[end] <= window.maximum) end++;
  const rise = (i: number): number => y[i] - (from?.[i] ?? 0);
  const add = (i: number): void => {
    if (Number.isFinite(rise(i))) stems.push({ x: x[i], from: from?.[i] ?? 0, to: y[i] });
  };
  if (end - first <= 2 * columns) {
    for (let i = first; i < end; i++) add(i);
    return stems;
  }
  const width = (window.maximum - window.minimum) / columns;
  let i = first;
  while (i < end) {
    const next = Math.max(
      i + 1,
      lowerBound(x, window.minimum + (Math.floor((x[i] - window.minimum) / width) + 1) * width, i, end),
    );
    let most = i;
    let least = i;
    for (let j = i + 1; j < next; j++) {
      if (!(rise(j) <= rise(most))) most = j;
      if (!(rise(j) >= rise(least))) least = j;
    }
    add(Math.min(most, least));
    if (most !== least) add(Math.max(most, least));
    i = next;
  }
  return stems;
}
