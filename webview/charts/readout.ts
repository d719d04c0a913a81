/** @file What a chart says of the points at a place of the x axis. */
import { formatChartNumber } from '../../server/protocol/formatQuantity.ts';
import type { ChartContent, Series } from './model/content.ts';
import { lowerBound, nearestIndex } from './model/search.ts';

export interface ReadPoint {
  readonly series: Series;
  readonly index: number;
  readonly text: string;
}

/**
 * The point of every visible series that is nearest in x, or the bin that holds x. A series that ends before x or begins after it has none,
 * unless that is so for all of them.
 */
export function readAt(content: ChartContent, hidden: ReadonlySet<string>, x: number): ReadPoint[] {
  const points = content.series.flatMap((series) => {
    if (hidden.has(series.id)) return [];
    const index = pointAt(series, x);
    return index < 0 ? [] : [{ series, index, text: pointText(content, series, index) }];
  });
  const reaching = points.filter(({ series }) => reaches(series, x));
  return reaching.length > 0 ? reaching : points;
}

/** True where a place is within a series, or no farther from it than its points are from one another. */
function reaches({ mark, x }: Series, at: number): boolean {
  if (mark === 'bins' || x.length < 2) return true;
  const [first, last] = [x[0], x[x.length - 1]];
  const spacing = (last - first) / (x.length - 1);
  return at >= first - spacing && at <= last + spacing;
}

/** The point of several series that is nearest to a place on the x axis. */
export function nearestPoint(points: readonly ReadPoint[], x: number): ReadPoint | undefined {
  const distance = ({ series, index }: ReadPoint) => (series.mark === 'bins' ? 0 : Math.abs(series.x[index] - x));
  return points.reduce<ReadPoint | undefined>(
    (nearest, point) => (nearest && distance(nearest) <= distance(point) ? nearest : point),
    undefined,
  );
}

function pointAt({ mark, x, y }: Series, at: number): number {
  if (mark !== 'bins') return nearestIndex(x, at);
  if (!(at >= x[0] && at <= x[y.length])) return -1;
  return Math.max(0, Math.min(y.length - 1, lowerBound(x, at) - 1));
}

function pointText({ y: axis }: ChartContent, { describe, from, mark, y }: Series, index: number): string {
  if (describe) return describe(index);
  const format = axis.format ?? formatChartNumber;
  if (from && (mark === 'band' || mark === 'intervals')) return `${format(from[index])} … ${format(y[index])}`;
  return from ? `${format(from[index])} → ${format(y[index])}` : format(y[index]);
}

/** The last value of each visible line, and a point that is alone: what the legend says while no cursor is there. */
export function lastValues(content: ChartContent, hidden: ReadonlySet<string>): Map<string, string> {
  const values = new Map<string, string>();
  if (content.saysLast === false) return values;
  for (const series of content.series) {
    const saysLast =
      ['line', 'band'].includes(series.mark ?? 'line') || (series.mark === 'points' && series.y.length === 1);
    if (hidden.has(series.id) || !saysLast || series.y.length === 0) continue;
    values.set(series.id, pointText(content, series, series.y.length - 1));
  }
  return values;
}

/** Place of a point on the x axis: `step 1,200`, `weight −0.01 … 0.01`. */
export function placeText(content: ChartContent, { series: { x, mark }, index }: ReadPoint): string {
  const format = content.x.format ?? formatChartNumber;
  const place = format(x[index]);
  return `${content.x.label} ${mark === 'bins' ? `${place} … ${format(x[index + 1])}` : place}`;
}
