/** @file Quantities as people read them: `12.3 MB`, `1 h 02 min`, `20,000`. */

/** `532 B`, `1.2 kB`, `12.3 MB`: decimal units, three digits. */
export function formatBytes(bytes: number): string {
  if (bytes < 999.5) return `${Math.round(bytes)} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length, Math.floor(Math.log10(Number(bytes.toPrecision(3))) / 3));
  return `${(bytes / 1000 ** power).toPrecision(3)} ${units[power - 1]}`;
}

/** `12 s`, `3 min 05 s`, `2 h 07 min`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/** `20,000` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** A measured value in four significant digits or more, without an exponent where that reads well: `0.9841`, `114.5`, `3.2e-6`. */
export function formatNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude < 1e-3 || magnitude >= 1e6)
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  return magnitude >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(4)));
}

/** How much worse a metric is, with as many digits as say something: `0.0012`, and 0 for what only rounding makes of it. */
export function formatDrop(drop: number): string {
  const rounded = Number(drop.toFixed(6));
  return Math.abs(rounded) < 1e-4 ? formatNumber(rounded) : String(Number(rounded.toPrecision(4)));
}

/** The error of a mean, in two digits, without an exponent where the mean has none: `0.0012`, `0.00068`, `3.2e-7`. */
export function formatMargin(margin: number): string {
  return String(Number(margin.toPrecision(2)));
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 3 });

/**
 * A number on a chart's axis, in its readout and its table: as {@link formatNumber} has it, but large numbers are written out to the
 * third decimal place, as neighbours on an axis differ in their last digits. Signs are typographic: `1,200`, `−2.5e−7`, `–` for NaN.
 */
export function formatChartNumber(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const isLarge = size >= 1e4 || Number.isInteger(value);
  return (isLarge && size < 1e9 ? grouped.format(value) : formatNumber(value)).replaceAll('-', '−');
}

/**
 * A fraction in percent, in three digits, or four from 99% on, and more where it would be 100% else: `0.012%`, `20.4%`, `99.95%`,
 * `99.996%`.
 */
export function formatPercent(fraction: number, digits = 3): string {
  return percentText(fraction, (percent, more) =>
    Number(percent.toPrecision((percent >= 99 ? digits + 1 : digits) + more)),
  );
}

/** A fraction in percent with so many decimal places, and more where it would be 0% or 100% else: `98.30%`, `99.996%`. */
export function formatFixedPercent(fraction: number, places: number): string {
  return percentText(fraction, (percent, more) => percent.toFixed(places + more));
}

/** Fractions that are nearer to one another differ by what sums are rounded by. */
const ROUNDING = 1e-9;

/** Only what is none or all is written so: nearly all takes more digits. */
function percentText(fraction: number, write: (percent: number, moreDigits: number) => number | string): string {
  const whole = Math.round(fraction);
  const isWhole = Math.abs(fraction - whole) < ROUNDING;
  const percent = 100 * (isWhole ? whole : fraction);
  let text = write(percent, 0);
  for (let more = 1; !isWhole && [0, 100].includes(Number(text)); more++) text = write(percent, more);
  return `${text}%`;
}

/** A compression ratio: `49.8x`, `2.05x`. */
export function formatRatio(ratio: number): string {
  return `${ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(3)}x`;
}
