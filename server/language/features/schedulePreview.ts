/**
 * @file The schedule of an experiment as a picture: the pruning rate of equation (1) over training, and where distortions
 * happen. An SVG for a hover, which has no colours of the editor's theme: its greys and blue are readable on dark and light.
 */
import { pruningRateAt } from '../../compression/methods/prune/rate.ts';
import { distortionCount, firstDistortion } from '../../protocol/experiment/distortionSteps.ts';
import { formatPercent } from '../../protocol/formatQuantity.ts';
import type { TimeUnit } from '../../protocol/experiment/times.ts';

export interface PreviewedSchedule {
  /** Unit of the times below. */
  readonly unit: TimeUnit;
  /** t_i. */
  readonly from: number;
  /** Length of the run. */
  readonly end: number;
  /** S_D; undefined where it is in steps, the other times are in epochs, and the length of an epoch is not known. */
  readonly distortEvery: number | undefined;
  /** Rise of the pruning rate; undefined for methods whose setting is the same at every distortion. */
  readonly rise?: { readonly to: number; readonly initialRate: number; readonly exponent: number } | undefined;
  /** Target rates p_f, each once, the highest first; empty for other methods. */
  readonly rates: readonly number[];
}

export const PREVIEW_WIDTH = 480;
/** A hover of VS Code shows 250 pixels without scrolling: two lines of words and the meaning of the setting are below the picture. */
const HEIGHT = 112;
const PLOT = { left: 46, right: 404, top: 20, bottom: 80 } as const;
const MARKS = { top: 84, bottom: 93 } as const;
/** Baselines of what stands above the plot, and of the times below it. */
const [HEADING, TIMES] = [12, 107];

const TEXT = '#848484';
const GRID = '#848484';
const CURVE = '#3b8eea';
const MARK = '#d18616';

/** Marks that are nearer than this are drawn as a band. */
const NEAREST_MARKS = 3;
/** Rates that are drawn; more would lie on one another. */
const CURVES = 4;

/** An SVG document. */
export function schedulePreview(schedule: PreviewedSchedule): string {
  const x = (time: number) => PLOT.left + (time / schedule.end) * (PLOT.right - PLOT.left);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${PREVIEW_WIDTH}" height="${HEIGHT}" viewBox="0 0 ${PREVIEW_WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="${TEXT}">`,
    ...(schedule.rates.length > 0 ? curves(schedule, x) : constant(schedule, x)),
    ...marks(schedule, x),
    ...timeAxis(schedule, x),
    '</svg>',
  ].join('');
}

/** In words, for those who cannot see the picture. */
export function scheduleInWords({ unit, from, end, distortEvery, rise, rates }: PreviewedSchedule): string {
  const begin =
    from === 0 ? 'Distortions from the start' : `Plain training up to ${count(from)} ${unit}, then distortions`;
  const spacing =
    distortEvery === undefined
      ? ''
      : `, one every ${often(distortEvery, unit)}: ${count(distortionCount({ distortEvery, from, steps: end }))} in all`;
  const targets = rates.map((rate) => formatPercent(rate)).join(', ');
  if (rates.length === 0) return `${begin}${spacing}.`;
  if (!rise) return `${begin}${spacing}, each at the target rate (${targets}).`;
  return `${begin}${spacing}. The rate rises from ${formatPercent(rise.initialRate)} to ${targets} at ${count(rise.to)} ${unit}.`;
}

/** `100 steps`, `epoch`: what stands after "one every". */
function often(times: number, unit: TimeUnit): string {
  return times === 1 ? unit.slice(0, -1) : `${count(times)} ${unit}`;
}

type Scale = (time: number) => number;

function curves({ from, end, rise, rates }: PreviewedSchedule, x: Scale): string[] {
  const y = (rate: number) => PLOT.bottom - rate * (PLOT.bottom - PLOT.top);
  const grid = [0, 0.5, 1].flatMap((rate) => [
    line(PLOT.left, y(rate), PLOT.right, y(rate), GRID, 'stroke-opacity="0.35"'),
    label(PLOT.left - 6, y(rate) + 4, formatPercent(rate), 'end'),
  ]);
  const drawn = rates.slice(0, CURVES);
  let lastLabel = -Infinity;
  const paths = drawn.flatMap((rate) => {
    const schedule = rise && { from, to: rise.to, initialRate: rise.initialRate, exponent: rise.exponent };
    const points = pointsOf(from, end, rise?.to);
    const path = points.map((time) => {
      const value = schedule ? pruningRateAt(schedule, rate, time) : rate;
      return `L${decimal(x(time))} ${decimal(y(value))}`;
    });
    // Labels of rates that are nearly the same would lie on one another.
    const at = Math.max(y(rate) + 4, lastLabel + 13);
    lastLabel = at;
    return [
      `<path d="M${decimal(x(0))} ${y(0)}L${decimal(x(from))} ${y(0)}${path.join('')}" fill="none" stroke="${CURVE}" stroke-width="2" stroke-linejoin="round"/>`,
      label(PLOT.right + 6, at, formatPercent(rate), 'start', `fill="${CURVE}"`),
    ];
  });
  return [...grid, ...paths, label(PLOT.left, HEADING, 'pruning rate', 'start')];
}

/** Times at which a curve is computed: a point for every few pixels of the rise, from t_i on. */
function pointsOf(from: number, end: number, to = from): number[] {
  const points = 120;
  const rise = Array.from({ length: points + 1 }, (_, i) => from + ((to - from) * i) / points);
  return [...rise.filter((time) => time <= end), end];
}

/** The picture for methods whose setting does not change: when distortions happen. */
function constant({ from }: PreviewedSchedule, x: Scale): string[] {
  const middle = (PLOT.top + PLOT.bottom) / 2;
  const [start, last] = [x(from), x(0) + PLOT.right - PLOT.left];
  const phase = (left: number, right: number, text: string, colour: string) =>
    right - left < 1
      ? []
      : [
          `<rect x="${decimal(left)}" y="${middle - 24}" width="${decimal(right - left)}" height="48" fill="${colour}" fill-opacity="0.18" stroke="${colour}"/>`,
          ...(right - left < 8 * text.length ? [] : [label((left + right) / 2, middle + 4, text, 'middle')]),
        ];
  return [...phase(x(0), start, 'plain', GRID), ...phase(start, last, 'with distortions', CURVE)];
}

function marks({ unit, from, end, distortEvery }: PreviewedSchedule, x: Scale): string[] {
  if (distortEvery === undefined) return [];
  const timing = { distortEvery, from, steps: end };
  const first = firstDistortion(timing);
  const text = label(
    PLOT.right,
    HEADING,
    `distortions: one every ${often(distortEvery, unit)}`,
    'end',
    `fill="${MARK}"`,
  );
  const last = line(x(end), MARKS.top, x(end), MARKS.bottom, MARK, 'stroke-width="2"');
  if (first === end) return [last, text];
  if (x(distortEvery) - x(0) < NEAREST_MARKS) {
    const width = decimal(x(end) - x(first));
    return [
      `<rect x="${decimal(x(first))}" y="${MARKS.top}" width="${width}" height="${MARKS.bottom - MARKS.top}" fill="${MARK}" fill-opacity="0.55"/>`,
      last,
      text,
    ];
  }
  const times = Array.from({ length: distortionCount(timing) - 1 }, (_, i) => first + i * distortEvery);
  return [...times.map((time) => line(x(time), MARKS.top, x(time), MARKS.bottom, MARK)), last, text];
}

function timeAxis({ unit, from, end, rise }: PreviewedSchedule, x: Scale): string[] {
  const named = new Map([
    [0, '0'],
    [end, count(end)],
    ...(rise && rise.to <= end ? [[rise.to, `t_f ${count(rise.to)}`] as const] : []),
    [from, from === 0 ? '0' : `t_i ${count(from)}`],
  ]);
  const ticks = [...named].sort(([a], [b]) => a - b);
  // The label of the schedule is kept where two labels would touch.
  const kept = ticks.filter(([time], i) => {
    const isEnd = time === 0 || time === end;
    const near = (other: readonly [number, string] | undefined) =>
      other !== undefined && Math.abs(x(other[0]) - x(time)) < 62;
    return !isEnd || (!near(ticks[i - 1]) && !near(ticks[i + 1]));
  });
  return [
    ...ticks.map(([time]) => line(x(time), PLOT.bottom, x(time), MARKS.bottom + 3, GRID, 'stroke-opacity="0.6"')),
    ...kept.map(([time, text]) => label(x(time), TIMES, subscripts(text), 'middle')),
    label(PREVIEW_WIDTH - 2, TIMES, unit, 'end'),
  ];
}

/** `t_i` as people write it; not every renderer knows a shifted baseline for a letter. */
function subscripts(text: string): string {
  return text.replace(/_(\w)/g, '<tspan font-size="9" dy="3">$1</tspan><tspan dy="-3">&#8203;</tspan>');
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, more = ''): string {
  return `<line x1="${decimal(x1)}" y1="${decimal(y1)}" x2="${decimal(x2)}" y2="${decimal(y2)}" stroke="${colour}" ${more}/>`;
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end', more = ''): string {
  return `<text x="${decimal(x)}" y="${decimal(y)}" text-anchor="${anchor}" ${more}>${text}</text>`;
}

function count(time: number): string {
  return time.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

function decimal(value: number): string {
  return String(Number(value.toFixed(1)));
}
