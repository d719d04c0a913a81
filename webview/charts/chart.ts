/**
 * @file The chart of all views: a title, a plot that zooms and pans, a legend that is also the readout, a menu, a table. Views
 * hand it content and forget it; what is drawn of a content comes from the pure model in model/.
 */
import * as l10n from '@vscode/l10n';
import { menuButton } from '../controls/menu.ts';
import { element, setText } from '../element.ts';
import type { Remembered, ViewContext } from '../views/view.ts';
import type { ChartContent } from './content.ts';
import { contentRows, fileHeadings, fileName, tableHeadings, toCsv, toPng } from './export.ts';
import { listenToGestures } from './gestures.ts';
import { createLegend } from './legend.ts';
import { layout, SmoothingMemory } from './model/layout.ts';
import type { Layout } from './model/layout.ts';
import { panned, zoomed } from './model/scale.ts';
import type { Range } from './model/scale.ts';
import { nearestIndex } from './model/search.ts';
import { createPlot } from './plot.ts';
import { lastValues, placeText, readAt } from './readout.ts';
import { createTable } from './table.ts';
import { onThemeChange, readTheme, seriesColor } from './theme.ts';

export interface ChartOptions {
  /** The view's name of the chart, under which its zoom and hidden series are remembered. */
  readonly id: string;
  readonly title: string;
  readonly context: ViewContext;
  /** `small` for what accompanies another chart. */
  readonly size?: 'small' | 'normal' | 'large';
  /** Called when a point is clicked: the series' id and the index into its columns. */
  readonly onPoint?: (series: string, index: number) => void;
}

export interface Chart {
  readonly element: HTMLElement;
  update(content: ChartContent): void;
  setTitle(title: string): void;
  dispose(): void;
}

/** What is remembered of a chart. */
interface ChartMemory {
  readonly hidden: readonly string[];
  readonly window?: Range;
}

function isChartMemory(value: unknown): value is ChartMemory {
  const { hidden, window } = (value ?? {}) as Partial<Record<keyof ChartMemory, unknown>>;
  const { minimum, maximum } = (window ?? { minimum: 0, maximum: 1 }) as Partial<Record<keyof Range, unknown>>;
  return (
    Array.isArray(hidden) &&
    hidden.every((id) => typeof id === 'string') &&
    typeof minimum === 'number' &&
    typeof maximum === 'number' &&
    minimum < maximum
  );
}

export function createChart(options: ChartOptions): Chart {
  return new DashboardChart(options);
}

class DashboardChart implements Chart {
  readonly element: HTMLElement;
  readonly #options: ChartOptions;
  readonly #memory: Remembered<ChartMemory>;
  readonly #smoothing = new SmoothingMemory();
  readonly #stopThemes: () => void;
  readonly #title = element('h3', { class: 'chart-title' });
  readonly #place = element('span', { class: 'chart-place' });
  readonly #summary = element('p', { class: 'chart-summary' });
  readonly #note = element('p', { class: 'chart-note' });
  readonly #empty = element('p', { class: 'chart-empty' });
  readonly #canvas = element('canvas', { 'aria-hidden': 'true' });
  readonly #crosshair = element('div', { class: 'crosshair', hidden: true });
  readonly #selection = element('div', { class: 'selection', hidden: true });
  readonly #dots = element('div', { class: 'dots' });
  readonly #plotElement = element(
    'div',
    { class: 'chart-plot', tabindex: 0, role: 'application', 'aria-roledescription': l10n.t('chart') },
    this.#canvas,
    this.#crosshair,
    this.#selection,
    this.#dots,
    this.#empty,
  );
  readonly #live = element('div', { class: 'visually-hidden', 'aria-live': 'polite' });
  readonly #legend = createLegend((id) => this.#toggle(id));
  readonly #table;
  readonly #plot;
  #theme = readTheme();
  #content: ChartContent | undefined;
  #layout: Layout | undefined;
  #window: Range | undefined;
  #hidden: ReadonlySet<string>;
  #showsTable = false;
  /** Where on the x axis the pointer or the keyboard is. */
  #cursor: number | undefined;
  /** Pixels from the left edge of the canvas, while the pointer is there. */
  #pointer: number | undefined;
  #frame = 0;

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#memory = options.context.remember<ChartMemory>(`chart.${options.id}`, { hidden: [] }, isChartMemory);
    const { hidden, window } = this.#memory.get();
    this.#hidden = new Set(hidden);
    this.#window = window;
    this.#table = createTable(options.title);
    this.#table.element.hidden = true;
    this.element = element(
      'section',
      { class: `chart chart-${options.size ?? 'normal'}` },
      element('header', { class: 'chart-head' }, this.#title, this.#place, this.#menu()),
      this.#summary,
      this.#plotElement,
      this.#table.element,
      this.#legend.element,
      this.#note,
      this.#live,
    );
    this.setTitle(options.title);
    this.#plot = createPlot(this.#canvas, () => this.#schedule());
    this.#stopThemes = onThemeChange(() => {
      this.#theme = readTheme();
      this.#schedule();
    });
    this.#listen();
  }

  setTitle(title: string): void {
    setText(this.#title, title);
    this.element.setAttribute('aria-label', title);
    this.#plotElement.setAttribute(
      'aria-label',
      l10n.t('{0}. Arrow keys read points, plus and minus zoom, 0 shows all. The menu has a table.', title),
    );
  }

  update(content: ChartContent): void {
    this.#content = content;
    this.#draw();
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.#stopThemes();
    this.#plot.dispose();
  }

  #menu(): HTMLElement {
    return menuButton(l10n.t('Chart actions'), () => [
      { label: l10n.t('Save as PNG…'), run: () => void this.#savePng() },
      { label: l10n.t('Save as CSV…'), run: () => this.#saveCsv() },
      { label: this.#showsTable ? l10n.t('Show as chart') : l10n.t('Show as table'), run: () => this.#switchTable() },
      ...(this.#window ? [{ label: l10n.t('Reset zoom'), run: () => this.#setWindow(undefined) }] : []),
    ]);
  }

  #listen(): void {
    listenToGestures(this.#plotElement, () => this.#plot.area().width, {
      hover: (pixel) => {
        this.#pointer = pixel;
        this.#setCursor(pixel === undefined ? undefined : this.#xUnder(pixel));
      },
      zoomAt: (pixel, factor) => this.#zoom(this.#plot.xAt(pixel), factor),
      selecting: (range) => this.#showSelection(range),
      select: (from, to) => this.#setWindow(this.#clampedWindow(this.#plot.xAt(from), this.#plot.xAt(to))),
      pan: (fraction) => this.#pan(fraction),
      reset: () => {
        const wasZoomed = this.#window !== undefined;
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
      this.#plotElement.addEventListener('click', (event) => {
        const box = this.#plotElement.getBoundingClientRect();
        const hit = this.#pointNear(event.clientX - box.left, event.clientY - box.top);
        if (hit) onPoint(hit.series, hit.index);
      });
  }

  /** The point drawn within a few pixels of a place. */
  #pointNear(left: number, top: number): { series: string; index: number } | undefined {
    if (!this.#content) return undefined;
    for (const { series, index } of readAt(this.#content, this.#hidden, this.#plot.xAt(left))) {
      const place = this.#plot.pixelOf(series.x[index], series.y[index]);
      if (Math.hypot(place.left - left, place.top - top) < 10) return { series: series.id, index };
    }
    return undefined;
  }

  #schedule(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    const content = this.#content;
    if (!content) return;
    // Before the first drawing chart.js knows no area; the next one corrects the guess.
    const width = Math.max(50, Math.round(this.#plot.area().width || this.#canvas.clientWidth - 50));
    const drawn = layout(content, this.#window, width, this.#hidden, this.#smoothing);
    this.#layout = drawn;
    this.#plot.draw(content, drawn, this.#theme);
    this.#legend.update(content.series, this.#hidden, this.#theme);
    setText(this.#empty, drawn.isEmpty ? (content.empty ?? l10n.t('Nothing recorded yet.')) : '');
    this.#empty.hidden = !drawn.isEmpty;
    this.element.classList.toggle('is-empty', drawn.isEmpty);
    setText(this.#summary, content.summary ?? '');
    this.#summary.hidden = content.summary === undefined;
    const notes = leftOutNote(drawn.leftOut);
    setText(this.#note, notes);
    this.#note.hidden = notes === '';
    if (this.#showsTable) this.#table.update(contentRows(content, tableHeadings));
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
    this.#crosshair.hidden = points.length === 0;
    if (points.length === 0) {
      setText(this.#place, '');
      this.#legend.setValues(lastValues(content, this.#hidden));
      this.#dots.replaceChildren();
      return;
    }
    const area = this.#plot.area();
    const [{ series: first, index }] = points;
    const at = first.mark === 'bins' ? x! : first.x[index];
    this.#crosshair.style.transform = `translateX(${Math.round(this.#plot.pixelOf(at, 0).left)}px)`;
    this.#crosshair.style.top = `${area.top}px`;
    this.#crosshair.style.height = `${area.height}px`;
    setText(this.#place, placeText(content, points));
    this.#legend.setValues(new Map(points.map(({ series, text }) => [series.id, text])));
    this.#dots.replaceChildren(
      ...points.flatMap(({ series, index: i }) => {
        const { left, top } = this.#plot.pixelOf(series.x[i], series.y[i]);
        const seen =
          left >= area.left && left <= area.left + area.width && top >= area.top - 1 && top <= area.top + area.height;
        if (series.mark === 'bins' || !seen) return [];
        const dot = element('div', { class: 'dot' });
        dot.style.transform = `translate(${left}px, ${top}px)`;
        dot.style.background = seriesColor(this.#theme, series.color);
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
    const points = readAt(this.#content, this.#hidden, this.#cursor!);
    const values = points.map(({ series: { label }, text }) => `${label} ${text}`);
    setText(this.#live, [placeText(this.#content, points), ...values].join(', '));
  }

  #zoom(center: number, factor: number): void {
    if (!this.#layout || !Number.isFinite(center)) return;
    const { x, bounds } = this.#layout;
    this.#setWindow(zoomed(x, bounds, this.#content?.x.scale ?? 'linear', center, factor));
  }

  #pan(fraction: number): void {
    if (!this.#layout || !this.#window) return;
    this.#setWindow(panned(this.#window, this.#layout.bounds, this.#content?.x.scale ?? 'linear', fraction));
  }

  #clampedWindow(minimum: number, maximum: number): Range {
    // A selection is a zoom without a change of length, held inside of the bounds.
    const scale = this.#content?.x.scale ?? 'linear';
    return zoomed({ minimum, maximum }, this.#layout!.bounds, scale, minimum, 1);
  }

  #setWindow(window: Range | undefined): void {
    const bounds = this.#layout?.bounds;
    const whole = window && bounds && window.minimum <= bounds.minimum && window.maximum >= bounds.maximum;
    this.#window = whole ? undefined : window;
    this.#remember();
    this.#schedule();
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
    this.#schedule();
  }

  #remember(): void {
    this.#memory.set({ hidden: [...this.#hidden], ...(this.#window && { window: this.#window }) });
  }

  #switchTable(): void {
    this.#showsTable = !this.#showsTable;
    this.#table.element.hidden = !this.#showsTable;
    this.#plotElement.hidden = this.#showsTable;
    this.#schedule();
  }

  get #name(): string {
    return this.#title.textContent ?? '';
  }

  #saveCsv(): void {
    if (!this.#content) return;
    const content = toCsv(contentRows(this.#content, fileHeadings));
    this.#options.context.send({ type: 'save', name: fileName(this.#name, 'csv'), format: 'csv', content });
  }

  async #savePng(): Promise<void> {
    const series = (this.#content?.series ?? []).filter(({ id }) => !this.#hidden.has(id));
    try {
      const content = await toPng(this.#canvas, this.#name, series, this.#theme);
      this.#options.context.send({ type: 'save', name: fileName(this.#name, 'png'), format: 'png', content });
    } catch (error) {
      this.#options.context.send({ type: 'error', message: String(error) });
    }
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
