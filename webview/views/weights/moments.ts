/** @file The recorded distortions of a weight as moments that a slider goes through, and what each did in words. Pure. */
import * as l10n from '@vscode/l10n';
import { formatCount, formatNumber, formatPercent } from '../../../server/protocol/formatQuantity.ts';
import type { WeightDistortion } from '../../../server/protocol/run/runHistory.ts';
import { describeSetting } from '../setting.ts';

const SEPARATOR = ' · ';

/** Place of the slider: a step, or `latest`, the newest distortion also as new ones come. */
export type Moment = number | 'latest';

export function isMoment(value: unknown): value is Moment {
  return value === 'latest' || typeof value === 'number';
}

/** Index of the recording that is nearest to `moment`, the earlier of two; -1 of none. */
export function indexAt(recordings: readonly { readonly step: number }[], moment: Moment): number {
  if (moment === 'latest') return recordings.length - 1;
  let low = 0;
  let high = recordings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (recordings[middle].step < moment) low = middle + 1;
    else high = middle;
  }
  if (low === recordings.length) return recordings.length - 1;
  return low > 0 && moment - recordings[low - 1].step <= recordings[low].step - moment ? low - 1 : low;
}

/** Zeros and near-zeros before and after. */
function describeZeros({ nearZerosBefore, nearZerosAfter, zerosBefore, zerosAfter }: WeightDistortion): string[] {
  return [
    l10n.t('near zero {0} → {1}', formatCount(nearZerosBefore), formatCount(nearZerosAfter)),
    l10n.t('zeros {0} → {1}', formatCount(zerosBefore), formatCount(zerosAfter)),
  ];
}

/** `pruning rate 98.7% · relative error 31.2%`. */
function describeExtent({ setting, relativeError }: WeightDistortion): string {
  const error = Number.isFinite(relativeError)
    ? l10n.t('relative error {0}', relativeError < 0.001 ? formatNumber(relativeError) : formatPercent(relativeError))
    : l10n.t('relative error unknown');
  return [describeSetting(setting), error].filter((part) => part !== '').join(SEPARATOR);
}

/** `rank 43` and what is left of the singular values, `120 of 300 units`: where the method works on these. */
function describeStructure({ nuclearNorm, units }: WeightDistortion): string[] {
  return [
    ...(nuclearNorm
      ? [
          l10n.t(
            'rank {0}, {1} cut from each singular value, {2} of their sum left',
            formatCount(nuclearNorm.rank),
            formatNumber(nuclearNorm.threshold),
            formatPercent(nuclearNorm.before === 0 ? 1 : nuclearNorm.after / nuclearNorm.before),
          ),
        ]
      : []),
    ...(units ? [l10n.t('{0} of {1} units', formatCount(units.left), formatCount(units.all))] : []),
  ];
}

/** All of it in a sentence, for the summary of a chart. */
export function describeDistortion(distortion: WeightDistortion): string {
  return [...describeZeros(distortion), ...describeStructure(distortion), describeExtent(distortion)].join(SEPARATOR);
}
