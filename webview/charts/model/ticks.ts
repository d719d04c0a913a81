/** @file Round values of an axis at which labels stand, and these labels. */
import { formatChartNumber } from '../../../server/protocol/formatQuantity.ts';
import type { Axis } from './content.ts';
import type { Range } from './scale.ts';

const decimal = [1, 2, 5, 10];
/** Seconds of a clock: above a minute, parts of minutes, hours and days are round. */
const clock = [60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];

/** Round values inside of the range, ascending: at most `count`, and at least two where numbers are that dense. */
export function niceTicks(
  range: Range,
  { scale = 'linear', unit }: Pick<Axis, 'scale' | 'unit'>,
  count: number,
): number[] {
  const { minimum, maximum } = range;
  if (scale === 'log' && maximum / minimum >= 10) return logarithmic(range, count);
  const least = maximum / count - minimum / count;
  if (!(least > 0)) return [minimum];
  const step =
    (unit === 'seconds' ? clock.find((seconds) => seconds >= least && least > 30) : undefined) ?? roundStep(least);
  const ticks: number[] = [];
  for (let i = Math.ceil(minimum / step - 1e-9); i * step <= maximum + step * 1e-9 && ticks.length <= count; i++)
    ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

/**
 * The labels of ticks: no two neighbours have the same one. Numbers that differ behind their fourth digit are written with all that they
 * have; of equal labels in a format of the axis, the first alone is left.
 */
export function tickLabels(ticks: readonly number[], format?: (value: number) => string): string[] {
  const labels = ticks.map(format ?? formatChartNumber);
  const repeats = (label: string, i: number) => i > 0 && label === labels[i - 1];
  if (format) return labels.map((label, i) => (repeats(label, i) ? '' : label));
  return labels.some(repeats) ? ticks.map((value) => String(value).replaceAll('-', '−')) : labels;
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * decimal.find((factor) => factor * power >= least * (1 - 1e-9))!;
}

/** Powers of ten; of a range of few decades also 2 and 5 times each, of one with many every 2nd, 3rd… power. */
function logarithmic(range: Range, count: number): number[] {
  const decades = Math.log10(range.maximum) - Math.log10(range.minimum);
  const factors = 3 * (decades + 1) <= count ? [1, 2, 5] : 2 * decades <= count ? [1, 3] : [1];
  for (let stride = 1; ; stride++) {
    const ticks = powersOfTen(range, factors, stride);
    if (ticks.length <= Math.max(1, count)) return ticks;
  }
}

function powersOfTen({ minimum, maximum }: Range, factors: readonly number[], stride: number): number[] {
  const [low, high] = [Math.floor(Math.log10(minimum)), Math.ceil(Math.log10(maximum))];
  const ticks: number[] = [];
  for (let power = Math.ceil(low / stride) * stride; power <= high; power += stride)
    for (const factor of factors) {
      const value = Number(`${factor}e${power}`);
      if (value >= minimum && value <= maximum) ticks.push(value);
    }
  return ticks;
}
