/** @file How a weight is compressed, in words. */
import * as l10n from '@vscode/l10n';
import { settingTexts } from '../../server/protocol/experiment/methods/settingText.ts';
import { formatPercent } from '../../server/protocol/formatQuantity.ts';
import type { CompressionSetting } from '../../server/protocol/run/events.ts';

/** `pruning rate 98.7%`, `2 bits`, `rank 20`; empty where a setting says nothing. */
export function describeSetting(setting: CompressionSetting): string {
  return settingTexts(setting, {
    length: 'full',
    translate: (text, number) => l10n.t(text, number),
    number: (value, { unit }) => (unit === 'fraction' ? formatPercent(value) : String(value)),
  }).join(', ');
}
