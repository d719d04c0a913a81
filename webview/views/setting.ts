/** @file How a weight is compressed, in words. */
import * as l10n from '@vscode/l10n';
import { settingTexts } from '../../server/protocol/experiment/methods/settingText.ts';
import type { CompressionSetting } from '../../server/protocol/run/events.ts';

/** `98.7%`, `20.37%`: of a fraction, four digits at most. */
export function formatPercent(fraction: number): string {
  const percent = 100 * fraction;
  return `${percent === 0 || percent === 100 ? percent : Number(percent.toPrecision(percent >= 99 ? 4 : 3))}%`;
}

/** `pruning rate 98.7%`, `2 bits`, `rank 20`; empty where a setting says nothing. */
export function describeSetting(setting: CompressionSetting): string {
  return settingTexts(setting, {
    length: 'full',
    translate: (text, number) => l10n.t(text, number),
    number: (value, { unit }) => (unit === 'fraction' ? formatPercent(value) : String(value)),
  }).join(', ');
}
