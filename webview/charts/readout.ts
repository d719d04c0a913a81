/** @file What a chart says of the points at a place of the x axis. */
import { formatChartNumber } from '../../server/protocol/formatQuantity.ts';
import type { ChartContent, Series } from './model/content.ts';
import { lowerBound, nearestIndex } from './model/search.ts';

export interface ReadPoint {
  readonly series: Series;
  readonly index: number;
  readonly text: string;
}

/** The point of every visible series that is nearest in x, or the bin that holds x; none of outlying series. */
export function readAt(content: ChartContent, hidden: ReadonlySet<string>, x: number): ReadPoint[] {
  return content.series.flatMap((series) => {
    if (hidden.has(series.id)) return [];
    const index = pointAt(series, x);
    return index < 0 ? [] : [{ series, index, text: pointText(content, series, index) }];
  });
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

/** The last value of each visible series: what the legend says while no cursor is there. Of histograms nothing. */
export function lastValues(content: ChartContent, hidden: ReadonlySet<string>): Map<string, string> {
  const values = new Map<string, string>();
  if (content.saysLast === false) return values;
  for (const series of content.series) {
    if (hidden.has(series.id) || !['line', 'band'].includes(series.mark ?? 'line') || series.y.length === 0) continue;
    values.set(series.id, pointText(content, series, series.y.length - 1));
  }
  return values;
}

/** Place of the points on the x axis: `step 1,200`, `weight −0.01 … 0.01`. */
export function placeText(content: ChartContent, points: readonly ReadPoint[]): string {
  const [first] = points;
  if (!first) return '';
  const format = content.x.format ?? formatChartNumber;
  const { x, mark } = first.series;
  const place = format(x[first.index]);
  return `${content.x.label} ${mark === 'bins' ? `${place} … ${format(x[first.index + 1])}` : place}`;
}
