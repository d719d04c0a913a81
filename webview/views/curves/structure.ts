/** @file What training leaves of the weights' structure: ranks and output units, over the steps of the runs. Pure. */
import * as l10n from '@vscode/l10n';
import { formatPercent } from '../../../server/protocol/formatQuantity.ts';
import type { WeightDistortion } from '../../../server/protocol/run/runHistory.ts';
import { lowerBound } from '../../charts/model/search.ts';
import type { ChartContent, Series } from '../../charts/model/content.ts';
import { runAxis } from './axes.ts';
import { changesOf, commonAxis, type CurveSettings, type LoadedRun } from './contents.ts';

/** Singular values that each distortion left of each weight; no series where no run recorded any. */
export function rankContent(runs: readonly LoadedRun[], settings: CurveSettings): ChartContent {
  const shrunk = runs.length === 1 ? runs.flatMap(sumsLeft) : [];
  return {
    x: commonAxis(runs, settings),
    y: { label: l10n.t('rank'), column: 'rank', minimum: 0 },
    series: runs.flatMap((run) => weightSeries(run, runs, settings, ({ nuclearNorm }) => nuclearNorm?.rank)),
    references: changesOf(runs, settings),
    ...(shrunk.length > 0 && {
      summary: l10n.t(
        'Sum of the singular values, as a share of the sum before the first distortion: {0}.',
        shrunk.join(', '),
      ),
    }),
  };
}

/** Output units that each distortion left of each layer; no series where no run recorded any. */
export function unitsContent(runs: readonly LoadedRun[], settings: CurveSettings): ChartContent {
  const left = runs.length === 1 ? runs.flatMap(unitsLeft) : [];
  return {
    x: commonAxis(runs, settings),
    y: { label: l10n.t('units'), column: 'units', minimum: 0 },
    series: runs.flatMap((run) => weightSeries(run, runs, settings, ({ units }) => units?.left)),
    references: changesOf(runs, settings),
    ...(left.length > 0 && { summary: l10n.t('Units that are not 0: {0}.', left.join(', ')) }),
  };
}

/** A line for each weight of which something was recorded. */
function weightSeries(
  { key, label, color, snapshot }: LoadedRun,
  runs: readonly LoadedRun[],
  { axis }: CurveSettings,
  valueOf: (distortion: WeightDistortion) => number | undefined,
): Series[] {
  const { at } = runAxis(snapshot, axis);
  const { columns, length } = snapshot.distortions;
  const steps = columns.step.subarray(0, length);
  const timeOf = (step: number) => columns.time[Math.min(lowerBound(steps, step), length - 1)];
  const recorded = Object.entries(snapshot.weights).flatMap(([name, distortions]) => {
    const points = distortions.flatMap((distortion) => {
      const value = distortion.onDemand ? undefined : valueOf(distortion);
      return value === undefined ? [] : [{ x: at(distortion.step, timeOf(distortion.step)), y: value }];
    });
    return points.length > 0 ? [{ name, points }] : [];
  });
  return recorded.map(({ name, points }, index) => ({
    id: `${key} ${name}`,
    ...(runs.length === 1 ? { label: name } : { label: `${label} · ${name}` }),
    // The weights of one run have colors of their own; of several runs, each run has one.
    color: runs.length === 1 ? index : color,
    dashed: runs.length > 1 && index % 2 === 1,
    x: Float64Array.from(points, ({ x }) => x),
    y: Float64Array.from(points, ({ y }) => y),
  }));
}

/** `fc1/kernel 41%` */
function sumsLeft({ snapshot }: LoadedRun): string[] {
  return Object.entries(snapshot.weights).flatMap(([name, distortions]) => {
    const recorded = distortions.flatMap(({ onDemand, nuclearNorm }) =>
      nuclearNorm && !onDemand ? [nuclearNorm] : [],
    );
    const [first] = recorded;
    if (first === undefined || first.before === 0) return [];
    return [`${name} ${formatPercent(recorded[recorded.length - 1].after / first.before)}`];
  });
}

/** `fc1/kernel 120 of 300`, of those that the layer had before any were removed. */
function unitsLeft({ snapshot }: LoadedRun): string[] {
  return Object.entries(snapshot.weights).flatMap(([name, distortions]) => {
    const recorded = distortions.flatMap(({ onDemand, units }) => (units && !onDemand ? [units] : []));
    const last = recorded.at(-1);
    return last ? [l10n.t('{0} {1} of {2}', name, last.left, recorded[0].all)] : [];
  });
}
