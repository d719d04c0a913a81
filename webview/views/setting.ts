/** @file How a weight is compressed, in words. */
import * as l10n from '@vscode/l10n';
import type { ParameterFacts } from '../../server/protocol/experiment/methods/facts.ts';
import { settingTexts } from '../../server/protocol/experiment/methods/settingText.ts';
import { formatPercent } from '../../server/protocol/formatQuantity.ts';
import type { CompressionSetting } from '../../server/protocol/run/events.ts';

/** `pruning rate 98.7%`, `2 bits`, `rank 20`; empty where a setting says nothing. */
export function describeSetting(setting: CompressionSetting): string {
  return settingTexts(setting, { length: 'full', translate: (text, value) => l10n.t(text, value), number }).join(', ');
}

/** The numbers of a setting alone: `98.7%`, `2`, `20`. */
export function bareSetting(setting: CompressionSetting): string {
  return settingTexts(setting, { translate: (_, value) => value, number }).join(', ');
}

function number(value: number, { unit }: ParameterFacts): string {
  return unit === 'fraction' ? formatPercent(value) : String(value);
}
