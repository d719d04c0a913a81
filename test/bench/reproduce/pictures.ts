/** @file Means over seeds in a chart: a line with its intervals, and levels. */
import { sampleStatistics } from '../../../server/protocol/run/sampleStatistics.ts';
import type { Reference, Series } from '../../../webview/charts/model/content.ts';
import { scaleOf } from './metricScale.ts';
import { figures, type Outcome } from './outcomes.ts';

export interface Place {
  readonly x: number;
  readonly mean: number;
  /** Half of the interval; none where it is absent. */
  readonly margin?: number | undefined;
}

/** The mean test metric of an outcome, accuracies in percent; none before it has a run. */
export function placeOf(outcome: Outcome, x: number): Place[] {
  const [record] = outcome.runs.values();
  if (!record) return [];
  const { factor } = scaleOf(record.metric);
  return [{ x, ...sampleStatistics([...figures(outcome).values()].map((value) => factor * value)) }];
}

/** The same as a level across the chart. */
export function levelOf(outcome: Outcome): Reference[] {
  return placeOf(outcome, 0).map(({ mean }) => ({ axis: 'y', value: mean, label: outcome.rival.name }));
}

/**
 * The series of a line and of its intervals; none without places, so that the legend has no key for it.
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
