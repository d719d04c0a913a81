/** @file What the charts of the Curves view show of the runs. Pure. */
import * as l10n from '@vscode/l10n';
import type { EventOf } from '../../../server/protocol/run/events.ts';
import type { RunSnapshot } from '../../../server/protocol/run/runHistory.ts';
import { formatPercent } from '../../../server/protocol/formatQuantity.ts';
import { formatMetric, isShare } from '../../../server/protocol/run/resultText.ts';
import type { Axis, ChartContent, Named, Series } from '../../charts/model/content.ts';
import type { ShownRun } from '../../state.ts';
import { axisOf, runAxis } from './axes.ts';
import type { XAxis } from './axes.ts';
import { changeMarks } from './changeMarks.ts';
import { describeDrops, dropsOf } from './drop.ts';
import { bandSeries, seedGroupsOf, type SeedGroup } from './seedGroups.ts';

export interface CurveSettings {
  readonly axis: XAxis;
  /** 0 up to below 1. */
  readonly smoothing: number;
  readonly logLoss: boolean;
  readonly logPerplexity: boolean;
  readonly marks: boolean;
  readonly drop: 'change' | 'before-after';
  /** True where runs that differ in their seed alone have a line each; else they are one with a band. */
  readonly seedsApart?: boolean;
}

/** As the view begins. */
export const firstSettings: CurveSettings = {
  axis: 'step',
  smoothing: 0.9,
  logLoss: false,
  logPerplexity: true,
  marks: true,
  drop: 'change',
};

export interface LoadedRun extends ShownRun {
  readonly snapshot: RunSnapshot;
}

export function loadedRuns(runs: readonly ShownRun[]): LoadedRun[] {
  return runs.filter((run): run is LoadedRun => run.snapshot !== undefined);
}

export function lossContent(runs: readonly LoadedRun[], settings: CurveSettings): ChartContent {
  return {
    x: commonAxis(runs, settings),
    y: { label: l10n.t('loss'), column: 'loss', scale: settings.logLoss ? 'log' : 'linear', settles: true },
    smoothing: settings.smoothing,
    series: [
      ...groupsOf(runs, settings).flatMap((group) =>
        metricSeries(group, 'loss', runs, { label: l10n.t('training loss'), column: 'training loss' }, settings, true),
      ),
      ...(runs.length === 1 ? runs.flatMap((run) => lossPartSeries(run, settings)) : []),
    ],
    marks: distortionMarks(runs, settings),
    references: changesOf(runs, settings),
    empty: l10n.t('The loss appears with the first training step.'),
  };
}

export function learningRateContent(runs: readonly LoadedRun[], settings: CurveSettings): ChartContent {
  return {
    x: commonAxis(runs, settings),
    y: { label: l10n.t('learning rate'), column: 'learning rate', minimum: 0 },
    series: groupsOf(runs, settings).flatMap((group) =>
      metricSeries(
        group,
        'learningRate',
        runs,
        { label: l10n.t('learning rate'), column: 'learning rate' },
        settings,
        false,
      ),
    ),
    references: changesOf(runs, settings),
    empty: l10n.t('The learning rate appears with the first training step.'),
  };
}

/** The parts of one run's loss, where it has several: a faint dashed line each. */
function lossPartSeries({ key, color, snapshot }: LoadedRun, { axis }: CurveSettings): Series[] {
  const { losses } = snapshot;
  if (losses === undefined) return [];
  const x = runAxis(snapshot, axis).metrics;
  return Object.entries(losses.columns).map(([part, column], index) => ({
    id: `${key} ${part}`,
    label: lossPartLabel(part),
    column: part,
    color: color + 1 + index,
    dashed: true,
    opacity: 0.85,
    x,
    y: column.subarray(0, losses.length),
    smooth: true,
  }));
}

function lossPartLabel(part: string): string {
  switch (part) {
    case 'data':
      return l10n.t('loss on the data');
    case 'labels':
      return l10n.t('loss on the labels');
    case 'distillation':
      return l10n.t('distillation');
    case 'divergence':
      return l10n.t('divergence from the prior');
    case 'regularization':
      return l10n.t('regularization');
    default:
      return part;
  }
}

/** Names of the fractions of the samples that the runs tell, such as `asked`; one chart each. */
export function recordedShares(runs: readonly LoadedRun[]): string[] {
  return [...new Set(runs.flatMap(({ snapshot }) => Object.keys(snapshot.shares?.columns ?? {})))];
}

/** The name of a share as the title of its chart. */
export function shareTitle(share: string): string {
  return share === 'asked' ? l10n.t('Samples that ask the teacher') : share;
}

export function shareContent(share: string, runs: readonly LoadedRun[], settings: CurveSettings): ChartContent {
  const label = share === 'asked' ? l10n.t('share of the samples') : share;
  const series = runs.flatMap((run): Series[] => {
    const { shares } = run.snapshot;
    const column = shares?.columns[share];
    if (shares === undefined || column === undefined) return [];
    return [
      {
        id: run.key,
        ...nameOf(run, runs, { label, column: share }),
        color: run.color,
        x: runAxis(run.snapshot, settings.axis).metrics.subarray(0, shares.length),
        y: column.subarray(0, shares.length),
        smooth: true,
      },
    ];
  });
  return {
    x: commonAxis(runs, settings),
    y: { label, column: share, minimum: 0, maximum: 1, format: formatPercent },
    smoothing: settings.smoothing,
    series,
    references: changesOf(runs, settings),
    empty: '',
  };
}

type Group = SeedGroup<LoadedRun>;

/** Runs that are one line. */
function groupsOf(runs: readonly LoadedRun[], { seedsApart = false }: CurveSettings): Group[] {
  return seedsApart ? runs.map((run) => ({ ...run, runs: [run] })) : seedGroupsOf(runs);
}

function metricSeries(
  group: Group,
  name: 'loss' | 'learningRate',
  all: readonly LoadedRun[],
  alone: Named,
  { axis }: CurveSettings,
  smooth: boolean,
): Series[] {
  const lines = group.runs.map(({ snapshot: { metrics }, snapshot }) => ({
    step: metrics.columns.step.subarray(0, metrics.length),
    x: runAxis(snapshot, axis).metrics,
    y: metrics.columns[name].subarray(0, metrics.length),
  }));
  const { key, label, color, runs } = group;
  if (runs.length > 1) return bandSeries(key, label, color, lines, smooth);
  const [{ x, y }] = lines;
  return [{ id: key, ...nameOf(runs[0], all, alone), color, x, y, smooth }];
}

/**
 * Names of the evaluated metrics, such as `accuracy`, those that are told of runs first; one chart each. A model of several outputs has
 * the loss and the metric of each.
 */
export function evaluatedMetrics(runs: readonly LoadedRun[]): string[] {
  const all = runs.flatMap(({ snapshot }) => snapshot.evaluations);
  return [
    ...new Set([...all.map(({ metric }) => metric), ...all.flatMap(({ measures }) => Object.keys(measures ?? {}))]),
  ];
}

/** The name of a metric as the title of its chart. */
export function metricTitle(metric: string): string {
  return metric === 'loss' ? l10n.t('Evaluated loss') : metric[0].toUpperCase() + metric.slice(1);
}

/** What an evaluation found; undefined for a metric that it has not. */
function valueOf({ metric, value, measures }: EventOf<'evaluation'>, wanted: string): number | undefined {
  return wanted === metric ? value : measures?.[wanted];
}

export function metricContent(metric: string, runs: readonly LoadedRun[], settings: CurveSettings): ChartContent {
  const groups = groupsOf(runs, settings);
  const isAlone = groups.length === 1;
  const series = groups.flatMap((group): Series[] => {
    const evaluated = group.runs.map(({ snapshot }) => ({
      axis: runAxis(snapshot, settings.axis),
      evaluations: snapshot.evaluations.flatMap((evaluation) => {
        const value = valueOf(evaluation, metric);
        return value === undefined ? [] : [{ ...evaluation, value }];
      }),
    }));
    const splits = [...new Set(evaluated.flatMap(({ evaluations }) => evaluations.map(({ split }) => split)))];
    return splits.flatMap((split): Series[] => {
      const lines = evaluated.map(({ axis, evaluations }) => {
        const own = evaluations.filter((evaluation) => evaluation.split === split);
        return {
          step: Float64Array.from(own, ({ step }) => step),
          x: Float64Array.from(own, ({ step, time }) => axis.at(step, time)),
          y: Float64Array.from(own, ({ value }) => value),
        };
      });
      const id = `${group.key} ${split}`;
      const label = runs.length === 1 ? split : splits.length === 1 ? group.label : `${group.label} · ${split}`;
      // Each split of one line has a color of its own.
      const color = group.color + (isAlone ? splits.indexOf(split) : 0);
      if (group.runs.length > 1) return bandSeries(id, label, color, lines, false);
      const [{ x, y }] = lines;
      const dashed = !isAlone && split !== splits[0];
      const final = finalAfterDistortion(evaluated[0].evaluations, split);
      if (final === undefined) return [{ id, label, color, dashed, x, y }];
      // The last distortion is after the last step: a line to it would be a stroke upwards.
      return [
        { id, label, color, dashed, x: x.subarray(0, final), y: y.subarray(0, final) },
        {
          id: `${id} final`,
          label: l10n.t('{0}, final model', label),
          column: `${label} final`,
          color: color + (isAlone ? splits.length : 0),
          mark: 'points',
          x: x.subarray(final),
          y: y.subarray(final),
        },
      ];
    });
  });
  return {
    x: commonAxis(runs, settings),
    y: metricAxis(metric, settings),
    series,
    marks: distortionMarks(runs, settings),
    references: changesOf(runs, settings),
    empty: l10n.t('The {0} appears with the first evaluation.', metric),
  };
}

/** Place of the evaluation of the final model among those of a split, where another one was before the last distortion of the same step. */
function finalAfterDistortion(evaluations: readonly EventOf<'evaluation'>[], split: string): number | undefined {
  const own = evaluations.filter((evaluation) => evaluation.split === split);
  const last = own.length - 1;
  return last > 0 && own[last].moment === 'final' && own[last - 1].moment === 'before-last-distortion'
    ? last
    : undefined;
}

function metricAxis(metric: string, { logPerplexity }: CurveSettings): Axis {
  return {
    label: metric,
    scale: metric === 'perplexity' && logPerplexity ? 'log' : 'linear',
    ...(isShare(metric) && { limit: 1 }),
    format: (value) => formatMetric(metric, value),
  };
}

/** What each distortion does to the loss of its batch. */
export function dropContent(runs: readonly LoadedRun[], settings: CurveSettings): ChartContent {
  const measured = runs.map((run) => ({
    run,
    drops: dropsOf(run.snapshot),
    axis: runAxis(run.snapshot, settings.axis),
  }));
  const change = settings.drop === 'change';
  const alone = change
    ? { label: l10n.t('loss after − before'), column: 'loss after − before' }
    : { label: l10n.t('loss before → after'), column: 'loss before → after' };
  const summary = describeDrops(measured.map(({ run, drops }) => ({ label: run.label, drops })));
  return {
    x: commonAxis(runs, settings),
    y: change
      ? { label: l10n.t('change of the loss'), column: 'change of the loss' }
      : { label: l10n.t('loss'), column: 'loss', scale: settings.logLoss ? 'log' : 'linear' },
    series: measured.map(({ run, drops, axis }) => ({
      id: run.key,
      ...nameOf(run, runs, alone),
      color: run.color,
      mark: 'stems',
      x: drops.step.map((step, i) => axis.at(step, drops.time[i])),
      y: change ? drops.rise : drops.after,
      ...(!change && { from: drops.before }),
    })),
    ...(change && { references: [{ axis: 'y', value: 0 }] as const }),
    ...(summary !== undefined && { summary }),
    empty: l10n.t('The change of the loss appears with the first distortion.'),
  };
}

/** One x axis for all charts: what stands one below the other happened at the same moment. */
export function commonAxis(runs: readonly LoadedRun[], { axis }: CurveSettings): Axis {
  const ends = runs.map(({ snapshot }) => runAxis(snapshot, axis).end);
  const maximum = Math.max(0, ...ends);
  return maximum > 0 ? { ...axisOf[axis], minimum: 0, maximum } : axisOf[axis];
}

function distortionMarks(runs: readonly LoadedRun[], settings: CurveSettings): ChartContent['marks'] {
  const [first] = runs;
  if (!settings.marks || !first || first.snapshot.distortions.length === 0) return undefined;
  const { columns, length } = first.snapshot.distortions;
  const axis = runAxis(first.snapshot, settings.axis);
  return {
    label: l10n.t('distortions'),
    x: columns.step.subarray(0, length).map((step, i) => axis.at(step, columns.time[i])),
  };
}

export function changesOf([first]: readonly LoadedRun[], { axis }: CurveSettings): ChartContent['references'] {
  return first && changeMarks(first.snapshot, runAxis(first.snapshot, axis));
}

function nameOf(run: LoadedRun, runs: readonly LoadedRun[], alone: Named): Named {
  return runs.length === 1 ? alone : { label: run.label };
}
