/** @file The chart of size against metric of a sweep: each row a point, with the interval of its seeds, and the front of those that no other beats. Pure. */
import * as l10n from '@vscode/l10n';
import { formatBytes, formatCount } from '../../../server/protocol/formatQuantity.ts';
import type { ChartContent, Series } from '../../charts/model/content.ts';
import { paretoFront } from '../../views/compare/pareto.ts';
import { frontSeries, sizeScale } from '../../views/compare/sizeContent.ts';
import type { Column } from './columns.ts';
import type { SweepItem } from './items.ts';

interface FrontPoint {
  readonly item: SweepItem;
  readonly size: number;
  readonly metric: number;
  readonly margin: number | undefined;
}

/** Id of the series of all rows; a point of it is a row of {@link frontPoints}. */
export const ROWS_SERIES = 'rows';

/** Rows with a size and a metric, the smallest first. */
export function frontPoints(items: readonly SweepItem[], metric: Column): FrontPoint[] {
  return items
    .flatMap((item): FrontPoint[] => {
      const found = item.measures.get(metric.id as 'test');
      const size = item.measures.get('bytes')?.mean;
      if (!found || size === undefined || !Number.isFinite(found.mean) || !Number.isFinite(size)) return [];
      return [{ item, size, metric: found.mean, margin: found.margin }];
    })
    .sort((a, b) => a.size - b.size);
}

/**
 * @param metric the column by which the best is chosen
 * @param nameOf a row as a person knows it
 * @param chosen id of the row that is set off
 */
export function frontContent(
  items: readonly SweepItem[],
  metric: Column,
  nameOf: (item: SweepItem) => string,
  chosen: string | undefined,
): ChartContent {
  const points = frontPoints(items, metric);
  const front = paretoFront(
    points.map(({ size, metric: value }) => ({ size, metric: value })),
    !metric.smallerFirst,
  ).map((index) => points[index]);
  const withMargin = points.filter(({ margin }) => margin !== undefined && Number.isFinite(margin));
  const own = points.filter(({ item }) => item.id === chosen);
  const describe = ({ item, size }: FrontPoint) => `${nameOf(item)}: ${metric.text(item)}, ${formatBytes(size)}`;
  return {
    x: {
      label: l10n.t('bytes'),
      column: 'bytes',
      ...sizeScale(points.map(({ size }) => size)),
      format: formatBytes,
    },
    y: { label: metric.title, column: metric.id, format: (value) => metric.format(value) },
    series: [
      ...(own.length === 0
        ? []
        : [cloud('chosen', l10n.t('chosen'), 'chosen', 1, own, (index) => describe(own[index]))]),
      cloud(ROWS_SERIES, l10n.t('rows'), 'rows', 0, points, (index) => describe(points[index])),
      ...(withMargin.length === 0
        ? []
        : [
            {
              id: 'intervals',
              label: l10n.t('95% interval of the seeds'),
              column: '95% interval of the seeds',
              color: 0,
              opacity: 0.6,
              mark: 'intervals' as const,
              x: withMargin.map(({ size }) => size),
              y: withMargin.map(({ metric: value, margin = 0 }) => value + margin),
              from: withMargin.map(({ metric: value, margin = 0 }) => value - margin),
            },
          ]),
      ...frontSeries(front),
    ],
    saysLast: false,
    ...(points.length > 0 && {
      summary: l10n.t(
        '{0} of {1} rows are Pareto-optimal in size and metric.',
        formatCount(front.length),
        formatCount(points.length),
      ),
    }),
    empty: l10n.t('A run has its place here when it has finished.'),
  };
}

function cloud(
  id: string,
  label: string,
  column: string,
  color: number,
  points: readonly FrontPoint[],
  describe: (index: number) => string,
): Series {
  return {
    ...{ id, label, column, color, describe },
    mark: 'points',
    x: points.map(({ size }) => size),
    y: points.map(({ metric }) => metric),
  };
}
