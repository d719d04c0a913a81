/** @file What each distortion costs at its moment: the loss just before and just after it. */
import * as l10n from '@vscode/l10n';
import type { RunSnapshot } from '../../../server/protocol/run/runHistory.ts';
import { formatChartNumber } from '../../../server/protocol/formatQuantity.ts';

/** The measured distortions of a run, as columns. */
export interface Drops {
  readonly step: Float64Array;
  readonly time: Float64Array;
  readonly before: Float64Array;
  readonly after: Float64Array;
  /** after - before: above 0 where the distortion made the model worse. */
  readonly rise: Float64Array;
}

export function dropsOf({ distortions }: RunSnapshot): Drops {
  const { step, time, lossBefore, lossAfter } = distortions.columns;
  const measured: number[] = [];
  for (let i = 0; i < distortions.length; i++) if (!Number.isNaN(lossBefore[i] + lossAfter[i])) measured.push(i);
  const pick = (column: Float64Array): Float64Array => Float64Array.from(measured, (i) => column[i]);
  return {
    step: pick(step),
    time: pick(time),
    before: pick(lossBefore),
    after: pick(lossAfter),
    rise: Float64Array.from(measured, (i) => lossAfter[i] - lossBefore[i]),
  };
}

/**
 * The mean rise of the loss in the first and the last quarter of the distortions: DeepTwist's third requirement is that it
 * shrinks as training goes on. Undefined of fewer than 8 distortions: quarters of one say nothing.
 */
export function meanRises({ rise }: Drops): { readonly first: number; readonly last: number } | undefined {
  const quarter = Math.floor(rise.length / 4);
  if (quarter < 2) return undefined;
  return { first: mean(rise.subarray(0, quarter)), last: mean(rise.subarray(rise.length - quarter)) };
}

/** Most runs that the line names: the others are in the chart. */
const MOST_TOLD = 3;

/** One line about one run, or several. */
export function describeDrops(runs: readonly { readonly label: string; readonly drops: Drops }[]): string | undefined {
  const known = runs.flatMap(({ label, drops }) => {
    const means = meanRises(drops);
    return means ? [{ label, ...means }] : [];
  });
  if (known.length === 0) return undefined;
  if (runs.length > 1) {
    const changes = known.map(({ label, first, last }) => `${label} ${signed(first)} → ${signed(last)}`);
    const told = changes.slice(0, MOST_TOLD).join('; ');
    return changes.length > MOST_TOLD
      ? l10n.t('Mean change, first quarter → last: {0}; and {1} more runs.', told, changes.length - MOST_TOLD)
      : l10n.t('Mean change, first quarter → last: {0}.', told);
  }
  const [{ first, last }] = known;
  const means = [signed(first), signed(last)];
  if (first === 0 && last === 0) return l10n.t('No distortion has changed the loss.');
  return Math.abs(last) < Math.abs(first)
    ? l10n.t('Mean change of the loss: {0} in the first quarter, {1} in the last; it shrinks.', ...means)
    : l10n.t('Mean change of the loss: {0} in the first quarter, {1} in the last; it does not shrink yet.', ...means);
}

function mean(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function signed(value: number): string {
  const text = formatChartNumber(Number(value.toPrecision(2)));
  return value > 0 ? `+${text}` : text;
}
