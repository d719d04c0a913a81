/** @file Numbers as charts write them: short, and never rounded to a zero that they are not. */

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 3 });

/** `1,200`, `0.0123`, `1.2e-6`: four significant digits of what is not a whole number. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (size >= 1e9 || size < 1e-3)
    return value
      .toExponential(size < 1e-3 ? 2 : 3)
      .replace(/\.?0*e\+?/, 'e')
      .replace('-', '−')
      .replace('e-', 'e−');
  if (Number.isInteger(value) || size >= 1e4) return grouped.format(value).replace('-', '−');
  return String(Number(value.toPrecision(4))).replace('-', '−');
}

/** `0.3 s`, `12 s`, `3:05`, `1:02:07`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (Math.abs(seconds) < 60) return `${formatNumber(Number(seconds.toFixed(seconds < 10 ? 2 : 0)))} s`;
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A fraction as percent: `97.37%`. */
export function formatPercent(fraction: number): string {
  if (!Number.isFinite(fraction)) return '–';
  return `${formatNumber(Number((100 * fraction).toFixed(2)))}%`;
}
