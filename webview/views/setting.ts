/** @file How a weight is compressed, in words. */
import * as l10n from '@vscode/l10n';
import { formatPercent } from '../../server/protocol/formatQuantity.ts';
import type { CompressionSetting } from '../../server/protocol/run/events.ts';

/** `pruning rate 98.7%`, `2 bits`, `rank 20`; empty where a setting says nothing. */
export function describeSetting({ rate, bits, rank }: CompressionSetting): string {
  return [
    ...(rate === undefined ? [] : [l10n.t('pruning rate {0}', formatPercent(rate))]),
    ...(bits === undefined ? [] : [bits === 1 ? l10n.t('1 bit') : l10n.t('{0} bits', bits)]),
    ...(rank === undefined ? [] : [l10n.t('rank {0}', rank)]),
  ].join(', ');
}
