/** @file The chart of size against metric. Pure. */
import * as l10n from '@vscode/l10n';
import { formatBytes } from '../../../server/protocol/formatQuantity.ts';
import { isGreaterBetter } from '../../../server/protocol/run/metricDirection.ts';
import { formatMetric } from '../../../server/protocol/run/resultText.ts';
import type { Axis, ChartContent, Series } from '../../charts/model/content.ts';
import type { ShownRun } from '../../state.ts';
import { paretoFront } from './pareto.ts';
import type { RunResult } from './results.ts';

export interface ComparedRun {
  readonly run: ShownRun;
  readonly result: RunResult;
}

/** The grey of the palette. */
const FRONT_COLOR = 7;
/** Padding of the axis of sizes to either side, as a fraction of the size. */
const MINIMUM_SPAN = 0.1;

/** Finished runs with one metric on one split; of runs with several, those that have the first run's. */
export function sizeContent(compared: readonly ComparedRun[]): ChartContent {
  const finished = compared.flatMap(({ run, result: { final, value, bytes, metric, split, hasFile } }) =>
    final && value !== undefined && bytes !== undefined
      ? [{ run, size: bytes, metric: value, name: metric ?? '', split, hasFile }]
      : [],
  );
  const { name = '', split } = finished.at(0) ?? {};
  const points = finished.filter((point) => point.name === name && point.split === split);
  const front = paretoFront(points, isGreaterBetter(name)).map((index) => points[index]);
  const others = compared.length - points.length;
  const format = (value: number) => formatMetric(name, value);
  return {
    x: {
      label: points.every(({ hasFile }) => hasFile) ? l10n.t('size') : l10n.t('size, or what it would take'),
      column: 'compressed size',
      ...sizeScale(points.map(({ size }) => size)),
      format: formatBytes,
    },
    y: {
      label: split === 'validation' ? l10n.t('validation {0}', name) : l10n.t('test {0}', name),
      column: `${split ?? 'test'} ${name}`,
      format,
    },
    series: [
      ...points.map(({ run, size, metric, hasFile }) => ({
        id: run.key,
        label: run.label,
        color: run.color,
        mark: 'points' as const,
        x: [size],
        y: [metric],
        describe: () =>
          hasFile
            ? `${format(metric)}, ${formatBytes(size)}`
            : l10n.t('{0}, would take {1}', format(metric), formatBytes(size)),
      })),
      // The last lies below the others.
      ...frontSeries(front),
    ],
    ...(points.length > 0 && {
      summary: describeFront(
        points.length,
        front.map(({ run }) => run.label),
        others,
      ),
    }),
    saysLast: false,
    empty: l10n.t('A run has its place here when it has finished.'),
  };
}

function describeFront(points: number, front: readonly string[], others: number): string {
  const left =
    others === 0 ? [] : [l10n.t('{0} not shown: unfinished, or with a metric of another name or split.', others)];
  if (points === 1) return left.join(' ');
  const best =
    front.length === points
      ? l10n.t('No run is better in both size and metric.')
      : front.length === 1
        ? l10n.t('Best in both: {0}.', front[0])
        : l10n.t('Pareto-optimal: {0}.', front.join('; '));
  return [best, ...left].join(' ');
}

/** Sizes that are nearly the same stand side by side: ticks a few bytes apart would all have one label. */
export function sizeScale(sizes: readonly number[]): Pick<Axis, 'scale' | 'minimum' | 'maximum'> {
  const smallest = Math.min(...sizes);
  const largest = Math.max(...sizes);
  if (smallest > 0 && largest / smallest > 10) return { scale: 'log' };
  const middle = (smallest + largest) / 2;
  const half = MINIMUM_SPAN * middle;
  return largest - smallest < half ? { minimum: middle - half, maximum: middle + half } : {};
}

/** A line through the points that no other beats; none where it is one point. @param front the smallest first */
export function frontSeries(front: readonly { readonly size: number; readonly metric: number }[]): Series[] {
  if (front.length < 2) return [];
  return [
    {
      id: 'front',
      label: l10n.t('Pareto front'),
      column: 'Pareto front',
      color: FRONT_COLOR,
      dashed: true,
      x: front.map(({ size }) => size),
      y: front.map(({ metric }) => metric),
    },
  ];
}
