/** @file The picture of a weight: its histogram before and after a distortion, and its singular values. Pure. */
import { formatCount, formatNumber } from '../../server/protocol/formatQuantity.ts';
import { zeroBin, type BinnedCounts } from '../../server/protocol/run/zeroBin.ts';
import { countOf, type DistortedWeight, type MeasuredWeight } from './measures.ts';
import type { Translation } from '../translation.ts';

/** What a picture is drawn for. */
export interface Appearance {
  readonly background: 'dark' | 'light';
  readonly highContrast: boolean;
  /** Grey: of a run whose code the file no longer has. */
  readonly changed: boolean;
}

interface Colors {
  readonly text: string;
  readonly muted: string;
  readonly axis: string;
  readonly before: string;
  readonly beforeOpacity: number;
  readonly after: string;
  readonly rank: string;
}

/** Those of the dashboard's charts, on the background of a hover. */
function colorsOf({ background, highContrast, changed }: Appearance): Colors {
  const isDark = background === 'dark';
  const text = isDark ? (highContrast ? '#ffffff' : '#cccccc') : highContrast ? '#000000' : '#3b3b3b';
  const grey = isDark ? '#c2c2c2' : '#5f5f5f';
  return {
    text,
    muted: highContrast ? text : isDark ? '#a0a0a0' : '#616161',
    axis: highContrast ? text : isDark ? '#6b6b6b' : '#b0b0b0',
    before: changed ? (isDark ? '#7a7a7a' : '#a8a8a8') : grey,
    beforeOpacity: highContrast ? 0.75 : 0.45,
    after: changed ? grey : isDark ? '#56b4e9' : '#0072b2',
    rank: changed ? grey : isDark ? '#e69f00' : '#b85c00',
  };
}

export interface Picture {
  readonly svg: string;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
}

const PANEL = 260;
const GAP = 20;
const HEIGHT = 136;
/** Upper and lower end of the curve in a panel: between its legend and the numbers of its x axis. */
const TOP = 22;
const BOTTOM = HEIGHT - 18;

/** Undefined where no distortion was recorded. */
export function weightPicture(l10n: Translation, weight: MeasuredWeight, appearance: Appearance): Picture | undefined {
  const { last, singularValues } = weight;
  if (last === undefined) return undefined;
  const colors = colorsOf(appearance);
  const panels = [histogramPanel(l10n, last, colors)];
  if (singularValues && singularValues.length > 1)
    panels.push(spectrumPanel(l10n, singularValues, last.setting.rank, colors));
  const width = panels.length * PANEL + (panels.length - 1) * GAP;
  const placed = panels.map((panel, i) => `<g transform="translate(${i * (PANEL + GAP)} 0)">${panel}</g>`);
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" ` +
    `font-family="system-ui, 'Segoe UI', sans-serif" font-size="11">${placed.join('')}</svg>`;
  return { svg, width, height: HEIGHT };
}

/** Text alternative for screen readers. */
export function pictureAlt(l10n: Translation, weight: MeasuredWeight): string {
  const zeros = formatCount(weight.last?.histogram.zerosAfter ?? 0);
  return l10n.t(
    'Histogram of {0} before and after the last distortion: {1} of {2} weights are 0 after it',
    weight.name,
    zeros,
    formatCount(countOf(weight)),
  );
}

function histogramPanel(l10n: Translation, { histogram }: DistortedWeight, colors: Colors): string {
  const { minimum, maximum } = histogram;
  const before = withoutZeros({ minimum, maximum, counts: histogram.before }, histogram.zerosBefore);
  const after = withoutZeros({ minimum, maximum, counts: histogram.after }, histogram.zerosAfter);
  const top = logarithm([...before, ...after].reduce((most, count) => Math.max(most, count), 1));
  const zero = minimum < 0 && maximum > 0 ? (-minimum / (maximum - minimum)) * PANEL : undefined;
  return [
    legend(
      [
        [colors.before, l10n.t('before')],
        [colors.after, l10n.t('after')],
      ],
      colors,
    ),
    text(PANEL, 12, l10n.t('log scale, without zeros'), colors.muted, 'end'),
    area(steps(before, top), colors.before, colors.beforeOpacity),
    area(steps(after, top), colors.after, 0.35),
    line(steps(after, top), colors.after),
    `<path d="M0 ${BOTTOM + 0.5}H${PANEL}" stroke="${colors.axis}"/>`,
    zero === undefined ? '' : `<path d="M${round(zero)} ${BOTTOM}v4" stroke="${colors.axis}"/>`,
    text(0, HEIGHT - 3, formatNumber(shortNumber(minimum)), colors.muted, 'start'),
    zero === undefined || zero < 48 || zero > PANEL - 48 ? '' : text(zero, HEIGHT - 3, '0', colors.muted, 'middle'),
    text(PANEL, HEIGHT - 3, formatNumber(shortNumber(maximum)), colors.muted, 'end'),
  ].join('');
}

/** Exact zeros would leave nothing to be seen of the others: they are told in numbers. */
function withoutZeros(histogram: BinnedCounts, zeros: number): number[] {
  const bin = zeroBin(histogram, zeros);
  return Array.from(histogram.counts, (count, i) => (i === bin ? count - zeros : count));
}

/** The upper line of a histogram, from left to right. */
function steps(counts: readonly number[], top: number): string {
  const width = PANEL / counts.length;
  return counts.map((count, i) => `V${round(yOf(logarithm(count), top))}H${round((i + 1) * width)}`).join('');
}

/** A bin begins at half a weight, so that a single one is seen. */
function logarithm(count: number): number {
  return Math.log2(1 + 2 * count);
}

function yOf(value: number, top: number): number {
  return BOTTOM - (value / top) * (BOTTOM - TOP);
}

function area(path: string, color: string, opacity: number): string {
  return `<path d="M0 ${BOTTOM}${path}V${BOTTOM}Z" fill="${color}" fill-opacity="${opacity}"/>`;
}

function line(path: string, color: string): string {
  return `<path d="M0 ${BOTTOM}${path}V${BOTTOM}" fill="none" stroke="${color}" stroke-width="1.25" stroke-linejoin="round"/>`;
}

function spectrumPanel(l10n: Translation, values: readonly number[], rank: number | undefined, colors: Colors): string {
  const top = values.reduce((most, value) => Math.max(most, value), 0) || 1;
  const x = (i: number) => round((i / (values.length - 1)) * PANEL);
  const path = values.map((value, i) => `${i === 0 ? 'M' : 'L'}${x(i)} ${round(yOf(value, top))}`).join('');
  const mark = rank !== undefined && rank <= values.length ? x(rank - 1) : undefined;
  return [
    legend([[colors.after, l10n.t('singular values')]], colors),
    `<path d="${path}V${BOTTOM}H0Z" fill="${colors.after}" fill-opacity="0.2"/>`,
    `<path d="${path}" fill="none" stroke="${colors.after}" stroke-width="1.5" stroke-linejoin="round"/>`,
    `<path d="M0 ${BOTTOM + 0.5}H${PANEL}" stroke="${colors.axis}"/>`,
    mark === undefined ? '' : `<path d="M${mark} ${TOP - 4}V${BOTTOM}" stroke="${colors.rank}" stroke-width="1.5"/>`,
    mark === undefined ? '' : rankText(l10n.t('rank {0}', rank!), mark, colors),
    text(0, HEIGHT - 3, '1', colors.muted, 'start'),
    text(PANEL, HEIGHT - 3, String(values.length), colors.muted, 'end'),
    mark === undefined
      ? text(PANEL, 12, l10n.t('largest {0}', formatNumber(shortNumber(top))), colors.muted, 'end')
      : '',
  ].join('');
}

/** Beside the line on the side with more room. */
function rankText(words: string, x: number, colors: Colors): string {
  return x < PANEL / 2
    ? text(x + 5, TOP + 8, words, colors.rank, 'start')
    : text(x - 5, TOP + 8, words, colors.rank, 'end');
}

function legend(entries: readonly (readonly [color: string, words: string])[], colors: Colors): string {
  let x = 0;
  return entries
    .map(([color, words]) => {
      const at = x;
      x += 24 + 6.5 * words.length;
      return `<rect x="${at}" y="4" width="10" height="9" rx="1.5" fill="${color}"/>${text(at + 14, 12, words, colors.text, 'start')}`;
    })
    .join('');
}

function text(x: number, y: number, words: string, color: string, anchor: 'start' | 'middle' | 'end'): string {
  const escaped = words.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<text x="${round(x)}" y="${y}" fill="${color}" text-anchor="${anchor}">${escaped}</text>`;
}

function shortNumber(value: number): number {
  return Number(value.toPrecision(3));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
