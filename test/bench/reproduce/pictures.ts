/** @file Means over seeds as series of a chart: a line with its intervals. */
import type { Series } from '../../../webview/charts/model/content.ts';

export interface Place {
  readonly x: number;
  readonly mean: number;
  /** Half of the interval; none where it is absent. */
  readonly margin?: number | undefined;
}

/**
 * Nothing without places: it has no key in the legend then.
 * @param color place in the palette
 */
export function curve(label: string, color: number, places: readonly Place[]): Series[] {
  const sure = places.flatMap(({ x, mean, margin }) => (margin === undefined ? [] : [{ x, mean, margin }]));
  const intervals: Series = {
    id: `${label} interval`,
    label,
    color,
    mark: 'intervals',
    x: sure.map(({ x }) => x),
    from: sure.map(({ mean, margin }) => mean - margin),
    y: sure.map(({ mean, margin }) => mean + margin),
  };
  const line: Series = {
    id: label,
    label,
    color,
    x: places.map(({ x }) => x),
    y: places.map(({ mean }) => mean),
  };
  if (places.length === 0) return [];
  return sure.length > 0 ? [intervals, line] : [line];
}
