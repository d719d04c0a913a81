/**
 * @file The chart of all views: a title, a plot that zooms and pans, a legend that is also the readout, a menu, a table. Views
 * hand it content and forget it; what is drawn of a content comes from the pure model in model/.
 */
import * as l10n from '@vscode/l10n';
import { element, setText } from '../element.ts';
import type { Remembered, ChartContext } from '../viewContext.ts';
import { ChartFrame } from './chartFrame.ts';
import type { ChartLink, Zoom } from './chartLink.ts';
import type { ChartContent, Series } from './model/content.ts';
import { contentRows } from './export.ts';
import { listenToGestures } from './gestures.ts';
import { createLegend } from './legend.ts';
import { layout, SmoothingMemory } from './model/layout.ts';
import type { Layout } from './model/layout.ts';
import { panned, zoomed } from './model/scale.ts';
import type { Range } from './model/scale.ts';
import { nearestIndex } from './model/search.ts';
import { createPlot } from './plot.ts';
import { lastValues, nearestPoint, placeText, readAt } from './readout.ts';
import { seriesColor } from './theme.ts';

export interface ChartOptions {
  /** The view's name of the chart, under which its zoom and hidden series are remembered. */
  readonly id: string;
  readonly title: string;
  readonly context: ChartContext;
  /** `small` for what accompanies another chart. */
  readonly size?: 'small' | 'normal' | 'large';
  /** Joins charts that are read and zoomed together. */
  readonly link?: ChartLink;
  /** True where a table of the view names the series: the legend is small then. */
  readonly sharesLegend?: boolean;
  /** Called when a point is clicked: the series' id and the index into its columns. */
  readonly onPoint?: (series: string, index: number) => void;
}

export interface Chart {
  readonly element: HTMLElement;
  update(content: ChartContent): void;
  /** @param name what the chart is called by itself, where the title does not say it all */
  setTitle(title: string, name?: string): void;
  dispose(): void;
}

/** What is remembered of a chart. */
interface ChartMemory {
  readonly hidden: readonly string[];
  readonly zoom?: Zoom;
}

function isChartMemory(value: unknown): value is ChartMemory {
  const { hidden, zoom } = (value ?? {}) as Partial<Record<keyof ChartMemory, unknown>>;
  const { minimum, maximum, of } = (zoom ?? { minimum: 0, maximum: 1, of: '' }) as Partial<Record<keyof Zoom, unknown>>;
  return (
    Array.isArray(hidden) &&
    hidden.every((id) => typeof id === 'string') &&
    typeof minimum === 'number' &&
    typeof maximum === 'number' &&
    typeof of === 'string' &&
    minimum < maximum
  );
}

/** {@link Zoom.of} a content. */
function zoomedThing({ x, source = '' }: ChartContent): string {
  return JSON.stringify([x.column ?? x.label, x.scale ?? 'linear', source]);
}

export function createChart(options: ChartOptions): Chart {
  return new DashboardChart(options);
}

class DashboardChart implements Chart {
  readonly #options: ChartOptions;
  readonly #memory: Remembered<ChartMemory>;
  readonly #smoothing = new SmoothingMemory();
  readonly #summary = element('p', { class: 'chart-summary' });
  readonly #empty = element('p', { class: 'chart-empty' });
  readonly #crosshair = element('div', { class: 'crosshair', hidden: true });
  readonly #selection = element('div', { class: 'selection', hidden: true });
  readonly #dots = element('div', { class: 'dots' });
  readonly #reset = element('button', { type: 'button', class: 'link-button chart-reset' }, l10n.t('Reset zoom'));
  readonly #legend = createLegend((id) => this.#toggle(id));
  readonly #frame: ChartFrame;
  readonly #plot;
  #content: ChartContent | undefined;
  #layout: Layout | undefined;
  #zoomed: Zoom | undefined;
  #hidden: ReadonlySet<string>;
  /** Place of the pointer or the keyboard on the x axis. */
  #cursor: number | undefined;
  /** Pixels from the left edge of the canvas, while the pointer is there. */
  #pointer: number | undefined;
  readonly #linked = {
    zoom: () => this.#zoomed,
    showPlace: (x: number | undefined) => {
      if (this.#pointer === undefined) this.#setCursor(x);
    },
    showWindow: (window: Range | undefined) => this.#applyWindow(window),
  };
  readonly #leave: (() => void) | undefined;

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#memory = options.context.remember<ChartMemory>(`chart.${options.id}`, { hidden: [] }, isChartMemory);
    const { hidden, zoom } = this.#memory.get();
    this.#hidden = new Set(hidden);
    // A chart that comes later, with the first evaluation, shows the part that the others show.
    this.#zoomed = options.link ? options.link.zoomOr(zoom) : zoom;
    this.#frame = new ChartFrame(options.context, {
      heading: 'h3',
      class: `chart-${options.size ?? 'normal'}${options.sharesLegend ? ' has-shared-legend' : ''}`,
      overlays: [this.#crosshair, this.#selection, this.#dots, this.#empty],
      above: [this.#summary],
      below: [this.#legend.element],
      buttons: [this.#reset],
      tableCaption: options.title,
      rows: (headings) => this.#content && contentRows(this.#content, headings),
      pictureLegend: () => (this.#content?.series ?? []).filter(({ id }) => !this.#hidden.has(id)),
      draw: () => this.#draw(),
      sharpened: (take) => this.#plot.sharpened(take),
      subject: () => this.#content?.subject,
    });
    this.#reset.hidden = true;
    this.#reset.addEventListener('click', () => this.#setWindow(undefined));
    this.setTitle(options.title);
    this.#plot = createPlot(this.#frame.canvas, () => this.#frame.schedule());
    this.#leave = options.link?.join(this.#linked);
    this.#listen();
  }

  get element(): HTMLElement {
    return this.#frame.element;
  }

  setTitle(title: string, name = title): void {
    const help = l10n.t('{0}. Arrow keys read points, plus and minus zoom, 0 shows all. The menu has a table.', name);
    this.#frame.setTitle(title, name, help);
  }

  update(content: ChartContent): void {
    this.#content = content;
    // Without a point nothing is drawn yet: a run is loaded.
    if (this.#zoomed && this.#zoomed.of !== zoomedThing(content) && content.series.some(({ y }) => y.length > 0)) {
      this.#zoomed = undefined;
      this.#remember();
    }
    this.#draw();
  }

  dispose(): void {
    this.#leave?.();
    this.#frame.dispose();
    this.#plot.dispose();
  }

  #listen(): void {
    listenToGestures(this.#frame.plot, () => this.#plot.area().width, {
      hover: (pixel) => {
        this.#pointer = pixel;
        this.#setCursor(pixel === undefined ? undefined : this.#xUnder(pixel));
        this.#options.link?.place(this.#linked, this.#cursor);
      },
      zoomAt: (pixel, factor) => this.#zoom(this.#plot.xAt(pixel), factor),
      selecting: (range) => this.#showSelection(range),
      select: (from, to) => this.#setWindow(this.#clampedWindow(this.#plot.xAt(from), this.#plot.xAt(to))),
      pan: (fraction) => this.#pan(fraction),
      reset: () => {
        const wasZoomed = this.#layout?.isZoomed === true;
        this.#setWindow(undefined);
        return wasZoomed;
      },
      moveCursor: (by) => this.#moveCursor(by),
      zoomAtCursor: (factor) => {
        if (!this.#layout) return;
        const { minimum, maximum } = this.#layout.x;
        this.#zoom(this.#cursor ?? (minimum + maximum) / 2, factor);
      },
    });
    const { onPoint } = this.#options;
    if (onPoint)
      this.#frame.plot.addEventListener('click', (event) => {
        const box = this.#frame.plot.getBoundingClientRect();
        const hit = this.#pointNear(event.clientX - box.left, event.clientY - box.top);
        if (hit) onPoint(hit.series, hit.index);
      });
  }

  /** The point drawn within a few pixels of a place. */
  #pointNear(left: number, top: number): { series: string; index: number } | undefined {
    if (!this.#content) return undefined;
    for (const { series, index } of this.#candidates(this.#content, left)) {
      const place = this.#plot.pixelOf(series.x[index], series.y[index]);
      if (Math.hypot(place.left - left, place.top - top) < 10) return { series: series.id, index };
    }
    return undefined;
  }

  /** Points that may be near a place: that of each line under it, and all of a cloud, in which many lie above one another. */
  #candidates(content: ChartContent, left: number): { series: Series; index: number }[] {
    const clouds = content.series.filter(({ id, mark }) => mark === 'points' && !this.#hidden.has(id));
    const ofClouds = clouds.flatMap((series) => Array.from(series.x, (_, index) => ({ series, index })));
    const under = readAt(content, this.#hidden, this.#plot.xAt(left));
    return [...ofClouds, ...under.filter(({ series }) => series.mark !== 'points')];
  }

  #draw(): void {
    const content = this.#content;
    if (!content) return;
    // Before the first drawing chart.js knows no area; the next one corrects the guess.
    const width = Math.max(50, Math.round(this.#plot.area().width || this.#frame.canvas.clientWidth - 50));
    const drawn = layout(content, this.#zoomed, width, this.#hidden, this.#smoothing);
    this.#layout = drawn;
    this.#reset.hidden = !drawn.isZoomed;
    this.#plot.draw(content, drawn, this.#frame.theme);
    this.#legend.update(content.series, this.#hidden, this.#frame.theme);
    setText(this.#empty, drawn.isEmpty ? (content.empty ?? l10n.t('Nothing recorded yet.')) : '');
    this.#empty.hidden = !drawn.isEmpty;
    this.#frame.element.classList.toggle('is-empty', drawn.isEmpty);
    setText(this.#summary, content.summary ?? '');
    this.#summary.hidden = content.summary === undefined;
    this.#frame.setNote(
      drawn.startsAbove
        ? l10n.t('The first steps are above the chart: zoom in to see them.')
        : leftOutNote(drawn.leftOut),
    );
    this.#frame.updateTable();
    // The axis may have moved below a resting pointer.
    if (this.#pointer !== undefined) this.#cursor = this.#xUnder(this.#pointer);
    this.#showCursor();
  }

  /** Beside the plotted area, that of its edge. */
  #xUnder(pixel: number): number {
    const { left, width } = this.#plot.area();
    const x = this.#plot.xAt(Math.max(left, Math.min(left + width, pixel)));
    const { minimum, maximum } = this.#layout?.x ?? { minimum: x, maximum: x };
    return Math.max(minimum, Math.min(maximum, x));
  }

  #setCursor(x: number | undefined): void {
    this.#cursor = x;
    this.#showCursor();
  }

  #showCursor(): void {
    const content = this.#content;
    if (!content || !this.#layout) return;
    const { x: window, isEmpty } = this.#layout;
    const x = this.#cursor;
    const inside = x !== undefined && !isEmpty && x >= window.minimum && x <= window.maximum;
    const points = inside ? readAt(content, this.#hidden, x) : [];
    const nearest = inside ? nearestPoint(points, x) : undefined;
    this.#crosshair.hidden = !nearest;
    if (!nearest) {
      setText(this.#frame.readout, '');
      this.#legend.setValues(lastValues(content, this.#hidden));
      this.#dots.replaceChildren();
      return;
    }
    const area = this.#plot.area();
    const { series: first, index } = nearest;
    const at = first.mark === 'bins' ? x! : first.x[index];
    this.#crosshair.style.transform = `translateX(${Math.round(this.#plot.pixelOf(at, 0).left)}px)`;
    this.#crosshair.style.top = `${area.top}px`;
    this.#crosshair.style.height = `${area.height}px`;
    setText(this.#frame.readout, placeText(content, nearest));
    this.#legend.setValues(new Map(points.map(({ series, text }) => [series.id, text])));
    this.#dots.replaceChildren(
      ...points.flatMap(({ series, index: i }) => {
        const { left, top } = this.#plot.pixelOf(series.x[i], series.y[i]);
        const seen =
          left >= area.left && left <= area.left + area.width && top >= area.top - 1 && top <= area.top + area.height;
        if (['bins', 'band', 'intervals'].includes(series.mark ?? 'line') || !seen) return [];
        const dot = element('div', { class: 'dot' });
        dot.style.transform = `translate(${left}px, ${top}px)`;
        dot.style.background = seriesColor(this.#frame.theme, series.color);
        return [dot];
      }),
    );
  }

  /** The keyboard's cursor steps from point to point of the first visible series, at least a pixel at a time. */
  #moveCursor(by: number): void {
    const series = this.#content?.series.find(({ id, y }) => !this.#hidden.has(id) && y.length > 0);
    if (!series || !this.#content || !this.#layout) return;
    const count = series.y.length;
    const { minimum, maximum } = this.#layout.x;
    const centers = series.mark === 'bins' ? binCenters(series.x, count) : series.x;
    const [first, last] = [nearestIndex(centers, minimum), nearestIndex(centers, maximum)];
    const stride = Math.max(1, Math.round((last - first) / Math.max(1, this.#plot.area().width / 2)));
    const now =
      this.#cursor === undefined ? (by < 0 ? last + stride : first - stride) : nearestIndex(centers, this.#cursor);
    this.#pointer = undefined;
    const next = by === Infinity ? last : by === -Infinity ? first : now + by * stride;
    this.#setCursor(centers[Math.max(first, Math.min(last, next))]);
    this.#options.link?.place(this.#linked, this.#cursor);
    const points = readAt(this.#content, this.#hidden, this.#cursor!);
    const nearest = nearestPoint(points, this.#cursor!);
    const values = points.map(({ series: { label }, text }) => `${label} ${text}`);
    setText(this.#frame.live, [...(nearest ? [placeText(this.#content, nearest)] : []), ...values].join(', '));
  }

  #zoom(center: number, factor: number): void {
    if (!this.#layout || !Number.isFinite(center)) return;
    const { x, bounds } = this.#layout;
    this.#setWindow(zoomed(x, bounds, this.#content?.x.scale ?? 'linear', center, factor));
  }

  #pan(fraction: number): void {
    if (!this.#layout?.isZoomed) return;
    this.#setWindow(panned(this.#layout.x, this.#layout.bounds, this.#content?.x.scale ?? 'linear', fraction));
  }

  #clampedWindow(minimum: number, maximum: number): Range {
    // A selection is a zoom without a change of length, held inside of the bounds.
    const scale = this.#content?.x.scale ?? 'linear';
    return zoomed({ minimum, maximum }, this.#layout!.bounds, scale, minimum, 1);
  }

  #setWindow(window: Range | undefined): void {
    this.#applyWindow(window);
    this.#options.link?.window(this.#linked, this.#zoomed);
  }

  #applyWindow(window: Range | undefined): void {
    const bounds = this.#layout?.bounds;
    const whole = window && bounds && window.minimum <= bounds.minimum && window.maximum >= bounds.maximum;
    const content = this.#content;
    this.#zoomed = window && content && !whole ? { ...window, of: zoomedThing(content) } : undefined;
    this.#remember();
    this.#frame.schedule();
  }

  #showSelection(range: readonly [number, number] | undefined): void {
    this.#selection.hidden = !range;
    if (!range) return;
    const { left, top, width, height } = this.#plot.area();
    const from = Math.max(left, range[0]);
    Object.assign(this.#selection.style, {
      left: `${from}px`,
      width: `${Math.max(0, Math.min(left + width, range[1]) - from)}px`,
      top: `${top}px`,
      height: `${height}px`,
    });
  }

  #toggle(id: string): void {
    const hidden = new Set(this.#hidden);
    if (!hidden.delete(id)) hidden.add(id);
    this.#hidden = hidden;
    this.#remember();
    this.#frame.schedule();
  }

  #remember(): void {
    this.#memory.set({ hidden: [...this.#hidden], ...(this.#zoomed && { zoom: this.#zoomed }) });
  }
}

function leftOutNote(count: number): string {
  if (count === 0) return '';
  return count === 1
    ? l10n.t('1 value ≤ 0 has no place on a log axis.')
    : l10n.t('{0} values ≤ 0 have no place on a log axis.', count);
}

function binCenters(edges: ArrayLike<number>, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => (edges[i] + edges[i + 1]) / 2);
}
