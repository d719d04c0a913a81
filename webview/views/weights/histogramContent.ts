/** @file The chart of a weight's histogram before and after a distortion. Pure. */
import * as l10n from '@vscode/l10n';
import type { WeightDistortion } from '../../../server/protocol/run/runHistory.ts';
import { formatChartNumber } from '../../../server/protocol/formatQuantity.ts';
import type { Axis, ChartContent, Reference, Series } from '../../charts/model/content.ts';
import { commonBins, edges, rebin } from './bins.ts';
import type { Histogram } from './bins.ts';
import { describeDistortion } from './moments.ts';

export interface HistogramSettings {
  readonly scale: 'linear' | 'log';
  readonly withZeros: boolean;
}

/** A distortion of a run, with the run's place in the palette. */
export interface Seen {
  readonly distortion: WeightDistortion;
  readonly color: number;
  /** The run's name. */
  readonly label: string;
}

/** Weights before a distortion, of whichever run, are grey: the last place of the palette. */
const BEFORE_COLOR = 7;
/** More levels than that are lines without a label; more than the second, no lines at all. */
const LABELLED_LEVELS = 16;
const DRAWN_LEVELS = 64;
/** Least of a log axis of counts. */
const LEAST_COUNT = 0.5;

export interface HistogramExtras {
  /** True if the weight is quantized: something is then said of its levels. */
  readonly quantized?: boolean;
  /** What the x axis spans at least, so that it stays while the slider moves. */
  readonly range?: { readonly minimum: number; readonly maximum: number };
  /** What a second run recorded after its distortion; all histograms are then on bins that are common to both. */
  readonly other?: Seen;
}

/** Before and after on the same bins. */
export function histogramContent(
  { distortion, color }: Seen,
  settings: HistogramSettings,
  { quantized = false, range, other }: HistogramExtras = {},
): ChartContent {
  const before = histogramOf(distortion, 'before');
  const after = histogramOf(distortion, 'after');
  const theirs = other && histogramOf(other.distortion, 'after');
  const bins = commonBins(theirs ? [after, theirs] : [after]);
  const x = edges(bins);
  // On a log axis a bin begins at half a weight, so that a single one is seen.
  const shared = { x, mark: 'bins', ...(settings.scale === 'log' && { base: LEAST_COUNT }) } as const;
  const series: Series[] = [
    // The first lies on top.
    { ...shared, id: 'after', label: l10n.t('after'), column: 'after', color, y: counts(after) },
    { ...shared, id: 'before', label: l10n.t('before'), column: 'before', color: BEFORE_COLOR, y: counts(before) },
  ];
  if (other && theirs) {
    const { label } = other;
    const step = formatChartNumber(other.distortion.step);
    series.push({
      ...shared,
      id: 'other',
      ...(other.distortion.step === distortion.step
        ? { label: l10n.t('after · {0}', label), column: `after · ${label}` }
        : { label: l10n.t('after · {0}, step {1}', label, step), column: `after · ${label}, step ${step}` }),
      color: other.color,
      dashed: true,
      y: counts(theirs),
    });
  }
  return {
    x: {
      label: l10n.t('weight'),
      column: 'weight',
      minimum: Math.min(bins.minimum, range?.minimum ?? Infinity),
      maximum: Math.max(bins.maximum, range?.maximum ?? -Infinity),
    },
    y: countAxis(settings.scale),
    series,
    references: levelLines(distortion.levels ?? []),
    summary: [describeDistortion(distortion), ...levelNotes(distortion, quantized)].join('. '),
    empty: l10n.t('The histogram is empty: no weight has a finite value.'),
  };

  function counts(histogram: Histogram): Float64Array {
    return rebin(histogram, bins, settings);
  }
}

function histogramOf(distortion: WeightDistortion, side: 'before' | 'after'): Histogram {
  const { minimum, maximum } = distortion;
  const zeros = side === 'before' ? distortion.zerosBefore : distortion.zerosAfter;
  return { minimum, maximum, counts: distortion[side], zeros };
}

/** The axis of a histogram's counts. */
export function countAxis(scale: HistogramSettings['scale']): Axis {
  return {
    label: l10n.t('count'),
    column: 'count',
    scale,
    minimum: scale === 'log' ? LEAST_COUNT : 0,
    format: formatCounts,
  };
}

/** Counts that were spread over other bins are not whole. */
export function formatCounts(count: number): string {
  return formatChartNumber(count >= 10 ? Math.round(count) : Number(count.toFixed(1)));
}

/** Lines at levels that are few enough to be drawn. */
export function levelLines(levels: readonly number[]): Reference[] {
  if (levels.length > DRAWN_LEVELS) return [];
  return levels.map((value) => ({
    axis: 'x',
    value,
    ...(levels.length <= LABELLED_LEVELS && { label: formatChartNumber(Number(value.toPrecision(2))) }),
  }));
}

function levelNotes({ levels, scaledLevels }: WeightDistortion, quantized: boolean): string[] {
  if (!quantized) return [];
  if (levels !== undefined) return [levelNote(levels)];
  if (scaledLevels !== undefined) return [l10n.t('Each bucket has levels of its own, see below')];
  return [l10n.t('Levels are not drawn: each row or bucket has its own scales')];
}

/** How many levels there are. */
export function levelNote({ length }: readonly number[]): string {
  return length > DRAWN_LEVELS ? l10n.t('{0} levels, too many to draw', length) : l10n.t('{0} levels', length);
}
