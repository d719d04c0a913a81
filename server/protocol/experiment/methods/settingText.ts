/** @file How a weight is compressed, in words: `rate 0.95`, `2 bits`, `rank 20`. */
import { formatNumber } from '../../formatQuantity.ts';
import type { CompressionSetting } from '../../run/events.ts';
import type { ParameterFacts } from './facts.ts';
import { parameterFacts } from './index.ts';

/** How texts are written where they are not the short English ones of the command line. */
export interface Wording {
  readonly length?: keyof Pick<ParameterFacts['texts'], 'full' | 'short'>;
  /** The text in the language of the user, with a number for its `{0}`. */
  readonly translate?: (text: string, number: string) => string;
  readonly number?: (value: number, parameter: ParameterFacts) => string;
}

/** A text for each parameter; none for a function of the user's own, and for parameters that this version does not know. */
export function settingTexts(setting: CompressionSetting, wording: Wording = {}): string[] {
  return Object.entries(setting).flatMap(([name, value]) =>
    Object.hasOwn(parameterFacts, name) ? [parameterText(parameterFacts[name], value, wording)] : [],
  );
}

function parameterText(
  parameter: ParameterFacts,
  value: number,
  { length = 'short', translate = filled, number = formatNumber }: Wording = {},
): string {
  const { one, ...texts } = parameter.texts;
  return translate(value === 1 && one !== undefined ? one : texts[length], number(value, parameter));
}

/** The values of several weights: `rank 32-64`. */
export function rangeText(parameter: ParameterFacts, lowest: number, highest: number): string {
  if (lowest === highest) return parameterText(parameter, lowest);
  return filled(parameter.texts.short, `${formatNumber(lowest)}-${formatNumber(highest)}`);
}

function filled(text: string, number: string): string {
  return text.replace('{0}', number);
}
