/** @file Times as the axis of a chart has them. */
import { formatChartNumber } from '../../../server/protocol/formatQuantity.ts';

/** `0.3 s`, `12 s`, `3:05`, `1:02:07`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (Math.abs(seconds) < 60) return `${formatChartNumber(Number(seconds.toFixed(seconds < 10 ? 2 : 0)))} s`;
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
