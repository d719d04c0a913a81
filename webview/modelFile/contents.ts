/** @file The charts of a tensor: its histogram and its spectrum. Pure. */
import * as l10n from '@vscode/l10n';
import { formatChartNumber, formatCount, formatPercent } from '../../server/protocol/formatQuantity.ts';
import { rankForEnergy } from '../../server/protocol/model/spectrumEnergy.ts';
import {
  zeroShare,
  type Tensor,
  type TensorHistogram,
  type TensorStatistics,
} from '../../server/protocol/model/tensor.ts';
import type { ChartContent } from '../charts/model/content.ts';
import { spectrumAxes } from '../views/spectrum/spectrumContent.ts';
import { edges, ownBins, rebin } from '../views/weights/bins.ts';
import { formatCounts, type HistogramSettings } from '../views/weights/histogramContent.ts';

const TOLD_ENERGIES = [0.9, 0.99];

export function tensorHistogramContent(
  tensor: Tensor,
  statistics: TensorStatistics,
  histogram: TensorHistogram,
  settings: HistogramSettings,
): ChartContent {
  const bins = ownBins(histogram);
  const isLog = settings.scale === 'log';
  return {
    x: { label: l10n.t('value'), column: 'value', minimum: bins.minimum, maximum: bins.maximum },
    y: {
      label: l10n.t('count'),
      column: 'count',
      scale: settings.scale,
      minimum: isLog ? 0.5 : 0,
      format: formatCounts,
    },
    series: [
      {
        id: 'count',
        label: l10n.t('count'),
        column: 'count',
        color: 0,
        mark: 'bins',
        x: edges(bins),
        y: rebin(histogram, bins, settings),
        // On a log axis a bin begins at half a number, so that a single one is seen.
        ...(isLog && { base: 0.5 }),
      },
    ],
    saysLast: false,
    summary: describeStatistics(tensor, statistics),
    empty: l10n.t('The histogram is empty: no number is finite, or zeros are left out.'),
  };
}

/** `98.4% zeros · mean 0.0012 · standard deviation 0.05` */
function describeStatistics(tensor: Tensor, statistics: TensorStatistics): string {
  const { notFinite, mean, deviation } = statistics;
  const share = zeroShare(tensor, statistics);
  return [
    share !== undefined && l10n.t('{0} zeros', formatPercent(share)),
    notFinite > 0 && l10n.t('{0} not finite', formatCount(notFinite)),
    mean !== undefined && l10n.t('mean {0}', formatChartNumber(mean)),
    deviation !== undefined && l10n.t('standard deviation {0}', formatChartNumber(deviation)),
  ]
    .filter((part) => part !== false)
    .join(' · ');
}

export function tensorSpectrumContent(singularValues: Float64Array, scale: 'linear' | 'log'): ChartContent {
  return {
    ...spectrumAxes([singularValues], scale),
    series: [
      {
        id: 'size',
        label: l10n.t('size'),
        column: 'size',
        color: 0,
        x: Float64Array.from(singularValues, (_, index) => index + 1),
        y: singularValues,
      },
    ],
    saysLast: false,
    summary: TOLD_ENERGIES.map((energy) =>
      l10n.t(
        '{0} of the energy is in the first {1} of {2} values.',
        formatPercent(energy),
        formatCount(rankForEnergy(singularValues, energy)),
        formatCount(singularValues.length),
      ),
    ).join(' '),
    empty: l10n.t('No singular value is greater than 0.'),
  };
}
