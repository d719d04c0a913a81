/** @file How a weight is compressed, in words. */
import type { CompressionSetting } from '../../server/protocol/events.ts';

/** `98.7%`, `20.37%`: of a fraction, four digits at most. */
export function formatPercent(fraction: number): string {
  const percent = 100 * fraction;
  return `${percent === 0 || percent === 100 ? percent : Number(percent.toPrecision(percent >= 99 ? 4 : 3))}%`;
}

/** `pruning rate 98.7%`, `2 bits`, `rank 20`; empty where a setting says nothing. */
export function describeSetting({ rate, bits, rank }: CompressionSetting): string {
  return [
    ...(rate === undefined ? [] : [`pruning rate ${formatPercent(rate)}`]),
    ...(bits === undefined ? [] : [`${bits} ${bits === 1 ? 'bit' : 'bits'}`]),
    ...(rank === undefined ? [] : [`rank ${rank}`]),
  ].join(', ');
}
