/** @file Parallel coordinates of a sweep's rows on a canvas, with a brush on each axis for the pointer and the keyboard. */
import * as l10n from '@vscode/l10n';
import { ChartFrame } from '../charts/chartFrame.ts';
import type { Headings, Rows } from '../charts/export.ts';
import { mixed } from '../charts/model/colors.ts';
import { paintLabel } from '../charts/painting.ts';
import { seriesColor, withAlpha, type ChartTheme } from '../charts/theme.ts';
import { element, setAttributes, setText } from '../element.ts';
import type { ChartContext } from '../viewContext.ts';
import { brushOf, endTexts, movedBrush, placesOf, type Brush, type ParallelAxis } from './model/axes.ts';
import type { Column } from './model/columns.ts';
import type { SweepItem } from './model/items.ts';

/** Room around the axes for their names and the ends of their labels, in CSS pixels. */
const MARGIN = { left: 52, right: 52, top: 34, bottom: 14 };
/** Pixels that an axis needs at least beside the next. */
const AXIS_WIDTH = 84;
/** A row within so many pixels of the pointer is that under it. */
const NEAR = 6;

export interface ParallelContent {
  readonly axes: readonly ParallelAxis[];
  readonly items: readonly SweepItem[];
  /** Ids of the rows that pass filter and brushes; the others are drawn faint. */
  readonly passing: ReadonlySet<string>;
  readonly brushes: ReadonlyMap<string, Brush>;
  /** The column by whose values lines are coloured. */
  readonly metric: Column | undefined;
  readonly chosen: string | undefined;
  nameOf(item: SweepItem): string;
}

export interface ParallelActions {
  brush(column: string, brush: Brush | undefined): void;
  choose(id: string): void;
}

interface AxisHandle {
  readonly element: HTMLElement;
  readonly range: HTMLElement;
}

/** Where axes and values are in the plot, in CSS pixels. */
interface Places {
  readonly width: number;
  readonly height: number;
  xOf(index: number): number;
  yOf(place: number): number;
  placeAt(y: number): number;
}

export class ParallelChart {
  readonly #actions: ParallelActions;
  readonly #frame: ChartFrame;
  readonly #layer = element('div', { class: 'axis-layer' });
  readonly #handles = new Map<string, AxisHandle>();
  readonly #legend = element('p', { class: 'chart-note parallel-legend' });
  readonly #resizes = new ResizeObserver(() => this.#frame.schedule());
  #content: ParallelContent | undefined;

  constructor(context: ChartContext, actions: ParallelActions) {
    this.#actions = actions;
    this.#frame = new ChartFrame(context, {
      heading: 'h3',
      class: 'parallel',
      plotClass: 'parallel-plot',
      overlays: [this.#layer],
      below: [this.#legend],
      tableCaption: l10n.t('Settings and results'),
      rows: (headings) => this.#content && rowsOf(this.#content, headings),
      pictureLegend: () => [],
      draw: () => this.#draw(),
    });
    const title = l10n.t('Settings and results');
    this.#frame.setTitle(
      title,
      title,
      l10n.t('{0}. Tab goes to the axes, on which arrow keys choose ranges. The menu has a table.', title),
    );
    this.#resizes.observe(this.#frame.plot);
    this.#frame.plot.addEventListener('pointermove', (event) => this.#readOut(event));
    this.#frame.plot.addEventListener('pointerleave', () => setText(this.#frame.readout, ''));
    this.#frame.plot.addEventListener('click', (event) => {
      const item = this.#itemAt(event);
      if (item) this.#actions.choose(item.id);
    });
  }

  get element(): HTMLElement {
    return this.#frame.element;
  }

  update(content: ParallelContent): void {
    this.#content = content;
    this.#frame.plot.style.minWidth = `${MARGIN.left + MARGIN.right + AXIS_WIDTH * Math.max(0, content.axes.length - 1)}px`;
    this.#frame.updateTable();
    this.#frame.schedule();
  }

  /** Reads the size of the plot once: the lines have thousands of points. */
  #places(): Places {
    const { clientWidth: width, clientHeight: height } = this.#frame.plot;
    const gaps = Math.max(1, (this.#content?.axes.length ?? 0) - 1);
    const gap = (width - MARGIN.left - MARGIN.right) / gaps;
    const length = height - MARGIN.top - MARGIN.bottom;
    return {
      width,
      height,
      xOf: (index) => MARGIN.left + index * gap,
      yOf: (place) => height - MARGIN.bottom - place * length,
      placeAt: (y) => Math.min(1, Math.max(0, (height - MARGIN.bottom - y) / length)),
    };
  }

  #draw(): void {
    const content = this.#content;
    if (!content) return;
    const places = this.#places();
    const { width, height } = places;
    const { canvas, theme } = this.#frame;
    const density = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const ctx = canvas.getContext('2d');
    if (!ctx) return;
    ctx.scale(density, density);
    drawLines(ctx, content, places, theme);
    content.axes.forEach((axis, i) => drawAxis(ctx, axis, i, content.axes.length, places, theme));
    this.#placeHandles(content, places);
    this.#frame.element.classList.toggle('is-empty', content.axes.length === 0);
    setText(
      this.#legend,
      content.metric === undefined || content.axes.length === 0
        ? ''
        : l10n.t('Lines are coloured by {0}, the best like the chosen one; grey: filtered out.', content.metric.title),
    );
  }

  #placeHandles({ axes, brushes }: ParallelContent, { xOf, yOf }: Places): void {
    const ids = new Set(axes.map(({ column }) => column.id));
    for (const [id, { element: handle }] of this.#handles)
      if (!ids.has(id)) {
        handle.remove();
        this.#handles.delete(id);
      }
    axes.forEach((axis, i) => {
      const { element: handle, range } = this.#handleOf(axis.column.id);
      if (this.#layer.children[i] !== handle) this.#layer.insertBefore(handle, this.#layer.children[i] ?? null);
      Object.assign(handle.style, {
        left: `${xOf(i) - 11}px`,
        top: `${yOf(1)}px`,
        height: `${yOf(0) - yOf(1)}px`,
      });
      const brush = brushes.get(axis.column.id);
      const { from, to } = placesOf(axis, brush);
      range.hidden = !brush;
      Object.assign(range.style, { bottom: `${100 * from}%`, height: `max(2px, ${100 * (to - from)}%)` });
      setAttributes(handle, {
        'aria-label': l10n.t(
          '{0}: arrow keys move the lower end of a range, with Shift its upper end; Delete shows all',
          axis.column.title,
        ),
        'aria-valuenow': from,
        'aria-valuetext': brush ? l10n.t('{0} to {1}', ...endTexts(axis, brush)) : l10n.t('all'),
      });
    });
  }

  #handleOf(id: string): AxisHandle {
    const known = this.#handles.get(id);
    if (known) return known;
    const range = element('div', { class: 'axis-range', hidden: true });
    const handle = element(
      'div',
      {
        class: 'axis-handle',
        tabindex: 0,
        role: 'slider',
        'aria-orientation': 'vertical',
        'aria-valuemin': 0,
        'aria-valuemax': 1,
      },
      range,
    );
    this.#handles.set(id, { element: handle, range });
    handle.addEventListener('keydown', (event) => this.#key(event, id));
    this.#listenToDrags(handle, id);
    return { element: handle, range };
  }

  #axisOf(id: string): ParallelAxis | undefined {
    return this.#content?.axes.find(({ column }) => column.id === id);
  }

  #key(event: KeyboardEvent, id: string): void {
    const axis = this.#axisOf(id);
    if (!axis || event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowUp: axis.step, ArrowDown: -axis.step }[event.key];
    const clears = event.key === 'Delete' || event.key === 'Backspace' || event.key === 'Escape';
    if (by === undefined && !clears) return;
    event.preventDefault();
    event.stopPropagation();
    this.#actions.brush(
      id,
      by === undefined
        ? undefined
        : movedBrush(axis, this.#content?.brushes.get(id), by, event.shiftKey ? 'to' : 'from'),
    );
  }

  /** A drag makes a brush, a click on an axis takes it away. */
  #listenToDrags(handle: HTMLElement, id: string): void {
    let from: number | undefined;
    let isMoved = false;
    const placeOf = (event: PointerEvent) =>
      snapped(this.#places().placeAt(event.clientY - this.#frame.plot.getBoundingClientRect().top));
    handle.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      [from, isMoved] = [placeOf(event), false];
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener('pointermove', (event) => {
      if (from === undefined) return;
      const place = placeOf(event);
      const axis = this.#axisOf(id);
      isMoved ||= Math.abs(place - from) > 0.02;
      if (isMoved && axis)
        this.#actions.brush(id, brushOf(axis, { from: Math.min(from, place), to: Math.max(from, place) }));
    });
    handle.addEventListener('pointerup', () => {
      if (from !== undefined && !isMoved) this.#actions.brush(id, undefined);
      from = undefined;
    });
    handle.addEventListener('pointercancel', () => (from = undefined));
    handle.addEventListener('click', (event) => event.stopPropagation());
  }

  #readOut(event: PointerEvent): void {
    const item = this.#itemAt(event);
    const metric = this.#content?.metric;
    const parts = item && this.#content ? [this.#content.nameOf(item), metric?.text(item) ?? ''] : [];
    setText(this.#frame.readout, parts.filter((part) => part !== '').join(' · '));
  }

  /** The passing row whose line is nearest to the pointer. */
  #itemAt({ clientX, clientY }: MouseEvent): SweepItem | undefined {
    const content = this.#content;
    if (!content) return undefined;
    const box = this.#frame.plot.getBoundingClientRect();
    const [x, y] = [clientX - box.left, clientY - box.top];
    const { xOf, yOf } = this.#places();
    const right = content.axes.findIndex((_, i) => i > 0 && xOf(i) >= x);
    if (right < 1) return undefined;
    const share = (x - xOf(right - 1)) / (xOf(right) - xOf(right - 1));
    let nearest: { item: SweepItem; distance: number } | undefined;
    for (const item of content.items) {
      const [a, b] = [content.axes[right - 1].place(item), content.axes[right].place(item)];
      if (a === undefined || b === undefined || !content.passing.has(item.id)) continue;
      const distance = Math.abs(yOf(a + share * (b - a)) - y);
      if (distance < (nearest?.distance ?? NEAR)) nearest = { item, distance };
    }
    return nearest?.item;
  }
}

function drawLines(ctx: CanvasRenderingContext2D, content: ParallelContent, places: Places, theme: ChartTheme): void {
  const { axes, items, passing, chosen, metric } = content;
  const colorOf = colorsOf(items, metric, theme);
  const faint = items.filter(({ id }) => !passing.has(id) && id !== chosen);
  // The best last, so that they lie above the others.
  const shown = items.filter(({ id }) => passing.has(id) && id !== chosen).toReversed();
  const alpha = shown.length > 300 ? 0.35 : shown.length > 60 ? 0.6 : 0.9;
  ctx.lineWidth = 1;
  ctx.strokeStyle = withAlpha(theme.text, 0.08);
  for (const item of faint) strokeLine(ctx, item, axes, places);
  for (const item of shown) {
    ctx.strokeStyle = withAlpha(colorOf(item), alpha);
    strokeLine(ctx, item, axes, places);
  }
  const own = items.find(({ id }) => id === chosen);
  if (!own) return;
  ctx.lineWidth = 3;
  ctx.strokeStyle = seriesColor(theme, 1);
  strokeLine(ctx, own, axes, places);
}

/** Broken where an axis has no place for the row. */
function strokeLine(
  ctx: CanvasRenderingContext2D,
  item: SweepItem,
  axes: readonly ParallelAxis[],
  { xOf, yOf }: Places,
): void {
  ctx.beginPath();
  let isBroken = true;
  axes.forEach((axis, i) => {
    const place = axis.place(item);
    if (place === undefined) isBroken = true;
    else if (isBroken) ctx.moveTo(xOf(i), yOf(place));
    else ctx.lineTo(xOf(i), yOf(place));
    if (place !== undefined) isBroken = false;
  });
  ctx.stroke();
}

function drawAxis(
  ctx: CanvasRenderingContext2D,
  axis: ParallelAxis,
  index: number,
  count: number,
  { xOf, yOf }: Places,
  theme: ChartTheme,
): void {
  const x = Math.round(xOf(index)) + 0.5;
  ctx.lineWidth = 1;
  ctx.strokeStyle = withAlpha(theme.text, 0.6);
  ctx.beginPath();
  ctx.moveTo(x, yOf(0));
  ctx.lineTo(x, yOf(1));
  ctx.stroke();
  const isLast = index === count - 1 && count > 1;
  ctx.textAlign = isLast ? 'left' : 'right';
  ctx.font = `10px ${theme.font}`;
  const gap = xOf(1) - xOf(0);
  const room = index === 0 ? MARGIN.left - 6 : isLast ? MARGIN.right - 6 : 0.6 * gap;
  let lowest = Infinity;
  for (const { place, text } of axis.ticks) {
    const y = yOf(place);
    // Labels that would lie on one another are left out.
    if (lowest - y < 11) continue;
    lowest = y;
    paintLabel(ctx, shortened(ctx, text, room), x + (isLast ? 5 : -5), y + 3, theme);
  }
  ctx.textAlign = 'center';
  ctx.font = `600 11px ${theme.font}`;
  const titleRoom = index === 0 || isLast ? 2 * MARGIN.left : gap - 8;
  paintLabel(ctx, shortened(ctx, axis.column.title, titleRoom), x, 14, theme);
}

/** An end of an axis is hard to hit. */
function snapped(place: number): number {
  return place < 0.03 ? 0 : place > 0.97 ? 1 : place;
}

/** From the second colour of the palette for the best to the first for the worst, by the rank of the metric. */
function colorsOf(
  items: readonly SweepItem[],
  metric: Column | undefined,
  theme: ChartTheme,
): (item: SweepItem) => string {
  const [worst, best] = [seriesColor(theme, 0), seriesColor(theme, 1)];
  if (!metric) return () => worst;
  const sign = metric.smallerFirst ? -1 : 1;
  const valued = items.flatMap((item) => {
    const value = metric.value(item);
    return typeof value === 'number' && Number.isFinite(value) ? [{ id: item.id, value: sign * value }] : [];
  });
  valued.sort((a, b) => a.value - b.value);
  const shades = Array.from({ length: 9 }, (_, i) => mixed(worst, best, i / 8));
  const colors = new Map(valued.map(({ id }, i) => [id, shades[Math.round((8 * i) / Math.max(1, valued.length - 1))]]));
  return ({ id }) => colors.get(id) ?? theme.mutedText;
}

/** Text that is cut where there is no room. */
function shortened(ctx: CanvasRenderingContext2D, text: string, room: number): string {
  let shown = text;
  while (shown.length > 2 && ctx.measureText(shown).width > room) shown = `${shown.slice(0, -2)}…`;
  return shown;
}

function rowsOf({ axes, items, passing, nameOf }: ParallelContent, headings: Headings): Rows {
  const shown = items.filter(({ id }) => passing.has(id));
  return {
    header: [headings.series, ...axes.map(({ column }) => headings.name({ label: column.title, column: column.id }))],
    length: shown.length,
    row: (index) => [nameOf(shown[index]), ...axes.map(({ column }) => column.value(shown[index]) ?? '')],
  };
}
