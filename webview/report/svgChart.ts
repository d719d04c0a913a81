/** @file A chart of the dashboard as a picture in SVG, from the same model: for a page without scripts. */
import type { Axis, ChartContent, Series } from '../charts/model/content.ts';
import { layout, type DrawnSeries, type Layout, type Stem } from '../charts/model/layout.ts';
import { toPlace, type Range } from '../charts/model/scale.ts';
import { niceTicks, tickLabels } from '../charts/model/ticks.ts';
import { palettes } from '../charts/theme.ts';
import { html, type Markup } from './html.ts';

/** Units of the picture, which is as wide as its place: about a pixel. */
export const WIDTH = 560;
export const HEIGHT = 230;
const AREA = { left: 56, top: 8, right: WIDTH - 12, bottom: HEIGHT - 34 };
/** Ticks beside and above one another. */
const MOST_TICKS = { x: 8, y: 5 };
/** Colours of the palette, which the style has as `.c0` and so on. */
const COLORS = palettes.light.length;
/** Lines of more points have no dot at each. */
const MOST_DOTS = 60;

interface Scales {
  x(value: number): number;
  y(value: number): number;
}

/** A chart with its title and its legend. */
export function svgChart(title: string, content: ChartContent): Markup {
  const drawn = laidOut(content);
  if (drawn.isEmpty) return html``;
  return html`<figure class="chart">
    <figcaption>
      <h3>${title}</h3>
      ${content.summary === undefined ? undefined : html`<p class="note">${content.summary}</p>`}
    </figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${drawing(content, drawn)}</svg>
    ${legend(content.series)}${startNote(drawn.startsAbove)}${leftOutNote(drawn.leftOut)}
  </figure> `;
}

const laidOut = (content: ChartContent) => layout(content, undefined, AREA.right - AREA.left, new Set());

/** Axes, marks, series and references, `WIDTH` by `HEIGHT`; undefined where no series has a point. */
export function drawing(content: ChartContent, drawn = laidOut(content)): Markup | undefined {
  if (drawn.isEmpty) return undefined;
  const scales: Scales = {
    x: scaleOf(content.x, drawn.x, AREA.left, AREA.right),
    y: scaleOf(content.y, drawn.y, AREA.bottom, AREA.top),
  };
  return html`${axes(content, drawn, scales)}${marks(drawn, scales)}${allSeries(drawn, scales)}${references(content, drawn, scales)}`;
}

function scaleOf(axis: Axis, { minimum, maximum }: Range, from: number, to: number): (value: number) => number {
  const scale = axis.scale ?? 'linear';
  const [low, high] = [toPlace(minimum, scale), toPlace(maximum, scale)];
  return (value) => from + ((toPlace(value, scale) - low) / (high - low)) * (to - from);
}

/** Tenths of a unit are finer than a pixel. */
function unit(place: number): string {
  return String(Math.round(10 * place) / 10);
}

function axes({ x, y }: ChartContent, { x: xRange, y: yRange }: Layout, scales: Scales): Markup {
  const ticks = { x: niceTicks(xRange, x, MOST_TICKS.x), y: niceTicks(yRange, y, MOST_TICKS.y) };
  const labels = { x: tickLabels(ticks.x, x.format), y: tickLabels(ticks.y, y.format) };
  const { left, right, bottom } = AREA;
  return html`${ticks.y.map((value, i) => {
      const place = unit(scales.y(value));
      return html`<path class="grid" d="M${left} ${place}H${right}" /><text
          class="tick end"
          x="${left - 6}"
          y="${unit(scales.y(value) + 3.5)}"
          >${labels.y[i]}</text
        >`;
    })}<path class="axis" d="M${left} ${bottom}H${right}" />${ticks.x.map((value, i) => {
      return html`<text class="tick ${anchorAt(scales.x(value))}" x="${unit(scales.x(value))}" y="${bottom + 14}"
        >${labels.x[i]}</text
      >`;
    })}<text class="tick end" x="${right}" y="${bottom + 28}">${x.label}</text>`;
}

/** A label at the right edge ends there. */
function anchorAt(place: number): string {
  return place > AREA.right - 20 ? 'end' : 'middle';
}

function marks({ marks: places }: Layout, { x }: Scales): Markup {
  if (places.length === 0) return html``;
  // As in the dashboard: a few run through, and many are a comb.
  const top = places.length <= 12 ? AREA.top : AREA.bottom - 6;
  return html`<path class="mark" d="${places.map((value) => `M${unit(x(value))} ${top}V${AREA.bottom}`).join('')}" />`;
}

/** Room around the area for the half of a dot that is beyond it. */
const DOT = 5;

/** The last below the others; cut off where points are beyond the axis, as the first steps of a loss are. */
function allSeries({ drawn, y }: Layout, scales: Scales): Markup {
  const all = html`${drawn.toReversed().map((one) => series(one, scales))}`;
  const isBeyond = drawn.some(({ points, raw = [], lower = [] }) =>
    [points, raw, lower].some((line) => line.some((point) => point.y > y.maximum || point.y < y.minimum)),
  );
  if (!isBeyond) return all;
  const [x, top] = [AREA.left - DOT, AREA.top - DOT];
  const [width, height] = [AREA.right - x + DOT, AREA.bottom - top + DOT];
  const place = html`x="${x}" y="${top}" width="${width}" height="${height}" viewBox="${x} ${top} ${width} ${height}"`;
  return html`<svg ${place} overflow="hidden">${all}</svg>`;
}

function series({ series: one, points, raw, stems, lower, base }: DrawnSeries, scales: Scales): Markup {
  const color = `c${one.color % COLORS}`;
  const opacity = one.opacity ?? 1;
  const line = (of: typeof points, more = '') =>
    html`<path class="line ${color}${dashClass(one)}${more}" opacity="${opacity}" d="${pathOf(of, scales)}" />`;
  if (lower) {
    const outline = pathOf([...finite(points, scales), ...finite(lower, scales).toReversed()], scales);
    return html`<path class="band ${color}" d="${outline}${outline === '' ? '' : 'Z'}" />`;
  }
  if (stems) return html`<path class="line ${color}" d="${stems.map((stem) => stemPath(stem, scales)).join('')}" />`;
  if (one.mark === 'bins') {
    const bottom = unit(scales.y(base ?? 0));
    const path = pathOf(points, scales);
    const last = points.at(-1);
    const first = points.at(0);
    if (!first || !last) return html``;
    const closed = `${path}L${unit(scales.x(last.x))} ${bottom}L${unit(scales.x(first.x))} ${bottom}Z`;
    return html`<path class="bins ${color}" d="${closed}" />`;
  }
  const shown = finite(points, scales);
  const dots =
    one.mark === 'points' || shown.length <= MOST_DOTS
      ? shown.map(
          ({ x, y }) =>
            html`<circle
              class="dot ${color}"
              cx="${unit(scales.x(x))}"
              cy="${unit(scales.y(y))}"
              r="${one.mark === 'points' ? 4 : 1.8}"
            />`,
        )
      : [];
  return html`${raw === undefined ? undefined : line(raw, ' faint')}${one.mark === 'points' ? undefined : line(points)}${dots}`;
}

/** What a logarithmic axis has no place for ends at the edge. */
function stemPath({ x, from, to }: Stem, scales: Scales): string {
  const [begin, end] = [scales.y(from), scales.y(to)].map((place) => Math.max(AREA.top, Math.min(AREA.bottom, place)));
  return Number.isNaN(begin + end) ? '' : `M${unit(scales.x(x))} ${unit(begin)}V${unit(end)}`;
}

function finite(points: DrawnSeries['points'], { x, y }: Scales): DrawnSeries['points'] {
  return points.filter((point) => Number.isFinite(x(point.x)) && Number.isFinite(y(point.y)));
}

/** Broken where a value is not finite. */
function pathOf(points: readonly { readonly x: number; readonly y: number }[], scales: Scales): string {
  let path = '';
  let isOpen = false;
  for (const point of points) {
    const [x, y] = [scales.x(point.x), scales.y(point.y)];
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      isOpen = false;
      continue;
    }
    path += `${isOpen ? 'L' : 'M'}${unit(x)} ${unit(y)}`;
    isOpen = true;
  }
  return path;
}

function references({ references: all = [] }: ChartContent, { x, y }: Layout, scales: Scales): Markup {
  const { left, right, top, bottom } = AREA;
  return html`${all.map(({ axis, value, label }) => {
    const range = axis === 'x' ? x : y;
    if (!(value >= range.minimum && value <= range.maximum)) return undefined;
    const place = unit(scales[axis](value));
    const text =
      label === undefined
        ? undefined
        : axis === 'x'
          ? html`<text class="tick" x="${unit(Math.min(scales.x(value) + 4, right - 60))}" y="${top + 10}"
              >${label}</text
            >`
          : html`<text class="tick end" x="${right}" y="${unit(scales.y(value) - 4)}">${label}</text>`;
    const path = axis === 'x' ? `M${place} ${top}V${bottom}` : `M${left} ${place}H${right}`;
    return html`<path class="reference" d="${path}" />${text}`;
  })}`;
}

/** A series that has the colour of another is dashed in its own way. */
function dashClass({ color, dashed }: Pick<Series, 'color' | 'dashed'>): string {
  if (dashed) return ' dashed';
  const round = Math.floor(color / COLORS) % 3;
  return round === 0 ? '' : ` round-${round}`;
}

function legend(all: readonly Series[]): Markup {
  return html`<ul class="legend">
    ${all.map(
      (one) => html`<li><svg class="key" viewBox="0 0 16 8" aria-hidden="true">${key(one)}</svg>${one.label}</li>`,
    )}
  </ul>`;
}

/** The sample of a series beside its label in a legend, 16 by 8. */
export function key(one: Series): Markup {
  return html`<path class="line c${one.color % COLORS}${dashClass(one)}" d="M0 4H16" />`;
}

function startNote(startsAbove: boolean): Markup | undefined {
  return startsAbove ? html`<p class="note">The first steps are above the chart.</p>` : undefined;
}

function leftOutNote(count: number): Markup | undefined {
  if (count === 0) return undefined;
  return html`<p class="note">Without ${count} points that a logarithmic axis has no place for.</p>`;
}
