/**
 * @file Histograms of a weight over the steps of a run: one ridge behind the other, or the rows of a heat map. Pure: from
 * recorded distortions to heights between 0 and 1, and from a point of the picture back to what is there.
 */
import type { WeightDistortion } from '../../../server/protocol/run/runHistory.ts';
import { evenly } from '../evenly.ts';
import { commonBins, rebin } from './bins.ts';
import type { Bins } from './bins.ts';

export type Side = 'before' | 'after';

export interface RidgeOptions {
  readonly side: Side;
  readonly scale: 'linear' | 'log';
  readonly withZeros: boolean;
  /** More recordings than that are thinned evenly; the first and the last stay. */
  readonly rows: number;
}

/** One histogram per row, the earliest first, all on the same bins. */
export interface Ridges {
  readonly bins: Bins;
  readonly steps: readonly number[];
  /** `steps.length` rows of `bins.count` counts. */
  readonly counts: readonly Float64Array[];
  /** As `counts`, in the chosen scale, divided by the largest of all rows. */
  readonly heights: readonly Float64Array[];
}

export function ridges(distortions: readonly WeightDistortion[], options: RidgeOptions): Ridges | undefined {
  const { side, scale, withZeros } = options;
  const rows = evenly(distortions.length, options.rows).map((index) => distortions[index]);
  if (rows.length === 0) return undefined;
  const histograms = rows.map((row) => ({
    minimum: row.minimum,
    maximum: row.maximum,
    counts: row[side],
    zeros: side === 'before' ? row.zerosBefore : row.zerosAfter,
  }));
  const bins = commonBins(histograms);
  const counts = histograms.map((histogram) => rebin(histogram, bins, { withZeros }));
  const scaled = scale === 'log' ? counts.map((row) => row.map((count) => Math.log1p(Math.max(0, count)))) : counts;
  const largest = scaled.reduce((most, row) => row.reduce((m, value) => Math.max(m, value), most), 0);
  const heights = scaled.map((row) => row.map((value) => (largest > 0 ? Math.max(0, value) / largest : 0)));
  return { bins, steps: rows.map(({ step }) => step), counts, heights };
}

/** Layout of rows in a picture of `height` pixels. */
export interface RidgeLayout {
  /** The y of each row's base line, the earliest at the top: the newest stands in front. */
  readonly baselines: readonly number[];
  /** Height of a bin of 1. */
  readonly amplitude: number;
}

/** A ridge is as high as this many distances between base lines, where there is room. */
const OVERLAP = 4;

export function ridgeLayout(rows: number, top: number, height: number): RidgeLayout {
  if (rows === 1) return { baselines: [top + height], amplitude: height };
  // The highest ridge of the first row still fits: amplitude + (rows - 1) * distance = height.
  const overlap = Math.min(OVERLAP, rows - 1);
  const distance = height / (rows - 1 + overlap);
  const amplitude = overlap * distance;
  return { baselines: Array.from({ length: rows }, (_, row) => top + amplitude + row * distance), amplitude };
}

/** The row that is seen at height `y`: the frontmost whose ridge reaches it, else the one with the nearest base line. */
export function rowAt({ baselines, amplitude }: RidgeLayout, heights: readonly Float64Array[], bin: number, y: number) {
  for (let row = baselines.length - 1; row >= 0; row--) {
    if (y <= baselines[row] && y >= baselines[row] - amplitude * heights[row][bin]) return row;
  }
  let nearest = 0;
  baselines.forEach((baseline, row) => {
    if (Math.abs(baseline - y) < Math.abs(baselines[nearest] - y)) nearest = row;
  });
  return nearest;
}
