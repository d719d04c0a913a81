/** @file The chart of a weight's histograms over the steps of a run: ridges or a heat map, which chart.js has not. */
import * as l10n from '@vscode/l10n';
import { createTable } from '../../charts/table.ts';
import { fileHeadings, fileName, tableHeadings, toCsv, toPng } from '../../charts/export.ts';
import type { Headings, Rows } from '../../charts/export.ts';
import { formatNumber } from '../../charts/model/format.ts';
import { onThemeChange, readTheme } from '../../charts/theme.ts';
import { menuButton } from '../../controls/menu.ts';
import { element, setText } from '../../element.ts';
import type { ViewContext } from '../view.ts';
import { edges } from './bins.ts';
import { formatCounts } from './histogramContent.ts';
import { rowAt } from './ridge.ts';
import type { Ridges } from './ridge.ts';
import { paintHeatMap, paintRidges } from './ridgePainting.ts';
import type { Cell, Picture } from './ridgePainting.ts';

export interface RidgeContent {
  readonly title: string;
  /** Also says whose histograms they are. */
  readonly name: string;
  readonly ridges: Ridges;
  readonly kind: 'ridges' | 'heat map';
  readonly color: number;
  /** Index of the row that the slider stands at. */
  readonly current: number;
  /** What the picture leaves out, if anything. */
  readonly note?: string;
}

export interface RidgeChart {
  readonly element: HTMLElement;
  update(content: RidgeContent): void;
  dispose(): void;
}

/** @param onStep called when a row is clicked or chosen by Enter */
export function createRidgeChart(context: ViewContext, onStep: (step: number) => void): RidgeChart {
  return new CanvasRidgeChart(context, onStep);
}

class CanvasRidgeChart implements RidgeChart {
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #onStep: (step: number) => void;
  readonly #title = element('h4', { class: 'chart-title' });
  readonly #readout = element('span', { class: 'chart-place' });
  readonly #note = element('p', { class: 'chart-note', hidden: true });
  readonly #canvas = element('canvas', { 'aria-hidden': 'true' });
  readonly #plot = element(
    'div',
    { class: 'chart-plot ridge-plot', tabindex: 0, role: 'application', 'aria-roledescription': l10n.t('chart') },
    this.#canvas,
  );
  readonly #live = element('div', { class: 'visually-hidden', 'aria-live': 'polite' });
  readonly #table = createTable(l10n.t('Histograms over the steps'));
  readonly #resizes = new ResizeObserver(() => this.#schedule());
  readonly #stopThemes: () => void;
  #theme = readTheme();
  #content: RidgeContent | undefined;
  #picture: Picture | undefined;
  #cursor: Cell | undefined;
  #frame = 0;

  constructor(context: ViewContext, onStep: (step: number) => void) {
    this.#context = context;
    this.#onStep = onStep;
    this.#table.element.hidden = true;
    this.element = element(
      'section',
      { class: 'chart' },
      element('header', { class: 'chart-head' }, this.#title, this.#readout, this.#menu()),
      this.#plot,
      this.#table.element,
      this.#note,
      this.#live,
    );
    this.#resizes.observe(this.#plot);
    this.#stopThemes = onThemeChange(() => {
      this.#theme = readTheme();
      this.#schedule();
    });
    this.#listen();
  }

  update(content: RidgeContent): void {
    this.#content = content;
    const { steps, bins } = content.ridges;
    if (this.#cursor && (this.#cursor.row >= steps.length || this.#cursor.bin >= bins.count)) this.#cursor = undefined;
    setText(this.#title, content.title);
    this.element.setAttribute('aria-label', content.name);
    this.#plot.setAttribute(
      'aria-label',
      l10n.t('{0}. Arrow keys read counts, Enter goes to the step. The menu has a table.', content.name),
    );
    setText(this.#note, content.note ?? '');
    this.#note.hidden = content.note === undefined;
    if (!this.#table.element.hidden) this.#table.update(ridgeRows(content.ridges, tableHeadings));
    this.#schedule();
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.#resizes.disconnect();
    this.#stopThemes();
  }

  #menu(): HTMLElement {
    return menuButton(l10n.t('Chart actions'), () => [
      { label: l10n.t('Save as PNG…'), run: () => void this.#savePng() },
      { label: l10n.t('Save as CSV…'), run: () => this.#saveCsv() },
      { label: this.#plot.hidden ? l10n.t('Show as chart') : l10n.t('Show as table'), run: () => this.#switchTable() },
    ]);
  }

  #listen(): void {
    this.#plot.addEventListener('pointermove', (event) => this.#setCursor(this.#cellAt(event)));
    this.#plot.addEventListener('pointerleave', () => this.#setCursor(undefined));
    this.#plot.addEventListener('blur', () => this.#setCursor(undefined));
    this.#plot.addEventListener('click', (event) => this.#goTo(this.#cellAt(event)));
    this.#plot.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !this.#content) return;
      const { steps, bins } = this.#content.ridges;
      const far = event.shiftKey ? 10 : 1;
      const { row, bin } = this.#cursor ?? { row: this.#content.current, bin: bins.count >> 1 };
      const moves: Readonly<Record<string, Cell>> = {
        ArrowUp: { row: row - 1, bin },
        ArrowDown: { row: row + 1, bin },
        ArrowLeft: { row, bin: bin - far },
        ArrowRight: { row, bin: bin + far },
        Home: { row: 0, bin },
        End: { row: steps.length - 1, bin },
      };
      if (event.key === 'Enter') this.#goTo(this.#cursor);
      else if (Object.hasOwn(moves, event.key)) {
        const to = moves[event.key];
        this.#setCursor({
          row: Math.max(0, Math.min(steps.length - 1, to.row)),
          bin: Math.max(0, Math.min(bins.count - 1, to.bin)),
        });
        setText(this.#live, this.#readout.textContent ?? '');
      } else return;
      event.preventDefault();
    });
  }

  #cellAt(event: MouseEvent): Cell | undefined {
    if (!this.#content || !this.#picture) return undefined;
    const { ridges } = this.#content;
    const { area, layout } = this.#picture;
    const box = this.#canvas.getBoundingClientRect();
    const bin = Math.floor(((event.clientX - box.left - area.left) / area.width) * ridges.bins.count);
    if (bin < 0 || bin >= ridges.bins.count) return undefined;
    return { row: rowAt(layout, ridges.heights, bin, event.clientY - box.top), bin };
  }

  #setCursor(cell: Cell | undefined): void {
    if (cell?.row === this.#cursor?.row && cell?.bin === this.#cursor?.bin) return;
    this.#cursor = cell;
    setText(this.#readout, cell && this.#content ? cellText(this.#content.ridges, cell) : '');
    this.#schedule();
  }

  #goTo(cell: Cell | undefined): void {
    if (cell && this.#content) this.#onStep(this.#content.ridges.steps[cell.row]);
  }

  #schedule(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    const content = this.#content;
    const { clientWidth: width, clientHeight: height } = this.#plot;
    if (!content || width === 0 || height === 0) return;
    const density = window.devicePixelRatio;
    const [columns, lines] = [Math.round(width * density), Math.round(height * density)];
    if (this.#canvas.width !== columns || this.#canvas.height !== lines) {
      this.#canvas.width = columns;
      this.#canvas.height = lines;
      this.#canvas.style.width = `${width}px`;
      this.#canvas.style.height = `${height}px`;
    }
    const ctx = this.#canvas.getContext('2d')!;
    ctx.setTransform(density, 0, 0, density, 0, 0);
    ctx.clearRect(0, 0, width, height);
    const paint = content.kind === 'ridges' ? paintRidges : paintHeatMap;
    this.#picture = paint(ctx, width, height, { ...content, cursor: this.#cursor }, this.#theme);
  }

  #switchTable(): void {
    this.#plot.hidden = !this.#plot.hidden;
    this.#table.element.hidden = !this.#plot.hidden;
    if (this.#content) this.update(this.#content);
  }

  #saveCsv(): void {
    if (!this.#content) return;
    const { name, ridges } = this.#content;
    const content = toCsv(ridgeRows(ridges, fileHeadings));
    this.#context.send({ type: 'save', name: fileName(name, 'csv'), format: 'csv', content });
  }

  async #savePng(): Promise<void> {
    if (!this.#content) return;
    const { name } = this.#content;
    try {
      const content = await toPng(this.#canvas, name, [], this.#theme);
      this.#context.send({ type: 'save', name: fileName(name, 'png'), format: 'png', content });
    } catch (error) {
      this.#context.send({ type: 'error', message: String(error) });
    }
  }
}

/** `step 1,200, weight −0.095: 312`, of the middle of the bin. */
function cellText({ bins, steps, counts }: Ridges, { row, bin }: Cell): string {
  const width = (bins.maximum - bins.minimum) / bins.count;
  // Near 0, no more digits than tell two bins apart.
  const digits = Math.max(0, Math.min(20, 1 - Math.floor(Math.log10(width))));
  const middle = Number((bins.minimum + (bin + 0.5) * width).toFixed(digits));
  const count = formatCounts(counts[row][bin]);
  return l10n.t('step {0}, weight {1}: {2}', formatNumber(steps[row]), formatNumber(middle), count);
}

/** A row per step and bin. */
function ridgeRows({ bins, steps, counts }: Ridges, { name, from, to }: Headings): Rows {
  const weight = name({ label: l10n.t('weight'), column: 'weight' });
  const bounds = edges(bins);
  return {
    header: [
      name({ label: l10n.t('step'), column: 'step' }),
      from(weight),
      to(weight),
      name({ label: l10n.t('count'), column: 'count' }),
    ],
    length: steps.length * bins.count,
    row(index) {
      const row = Math.floor(index / bins.count);
      const bin = index % bins.count;
      return [steps[row], bounds[bin], bounds[bin + 1], counts[row][bin]];
    },
  };
}
