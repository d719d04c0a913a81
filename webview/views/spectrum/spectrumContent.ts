/** @file The chart of a weight's singular values at some steps. Pure. */
import * as l10n from '@vscode/l10n';
import { formatChartNumber, formatCount } from '../../../server/protocol/formatQuantity.ts';
import type { WeightSpectrum } from '../../../server/protocol/run/runHistory.ts';
import type { ChartContent, Reference } from '../../charts/model/content.ts';
import { describeSpectra } from './describeSpectra.ts';
import { roundingFloor } from './spectra.ts';

/** Places of the palette for the chosen steps, beginning with the first. */
const COLORS = 7;

/** The axes of charts of singular values, by their places from 1 on; a logarithmic one leaves out what is rounding. */
export function spectrumAxes(
  spectra: readonly ArrayLike<number>[],
  scale: 'linear' | 'log',
): Pick<ChartContent, 'x' | 'y'> {
  const floor = roundingFloor(spectra);
  return {
    x: {
      label: l10n.t('singular value'),
      column: 'singular value',
      format: (index) => (Number.isInteger(index) ? formatCount(index) : ''),
    },
    y: {
      label: l10n.t('size'),
      column: 'size',
      scale,
      ...(scale === 'linear' ? { minimum: 0 } : floor !== undefined && { minimum: floor }),
    },
  };
}

/** @param chosen in the order of steps */
export function spectrumContent(chosen: readonly WeightSpectrum[], scale: 'linear' | 'log'): ChartContent {
  const spectra = chosen.map(({ singularValues }) => singularValues);
  return {
    ...spectrumAxes(spectra, scale),
    series: chosen.map(({ step, singularValues }, place) => ({
      id: String(step),
      label: l10n.t('step {0}', formatCount(step)),
      column: `step ${formatCount(step)}`,
      color: place % COLORS,
      x: Float64Array.from(singularValues, (_, index) => index + 1),
      y: singularValues,
    })),
    references: referencesOf(chosen.at(-1)),
    // The least singular value says nothing of a spectrum.
    saysLast: false,
    summary: [
      ...describeSpectra(chosen),
      ...(scale === 'log' && roundingFloor(spectra) !== undefined
        ? [l10n.t('Values below 1e-7 of the largest are rounding and lie below the axis.')]
        : []),
    ].join(' '),
    empty: l10n.t('No singular value is greater than 0.'),
  };
}

/** The rank that the experiment sets, or the threshold below which training sets all values to 0. */
function referencesOf(last: WeightSpectrum | undefined): Reference[] {
  const { rank, threshold } = last ?? {};
  return [
    // Between the last value that is kept and the first that is not.
    ...(rank !== undefined
      ? [{ axis: 'x', value: rank + 0.5, label: l10n.t('rank {0}', formatCount(rank)) } as const]
      : []),
    ...(threshold !== undefined && threshold > 0
      ? [{ axis: 'y', value: threshold, label: l10n.t('threshold {0}', formatChartNumber(threshold)) } as const]
      : []),
  ];
}
