/** @file The chart of a weight's histograms over the steps of a run: ridges or a heat map, which chart.js has not. */
import * as l10n from '@vscode/l10n';
import { ChartFrame } from '../../charts/chartFrame.ts';
import type { Headings, Rows } from '../../charts/export.ts';
import { formatChartNumber } from '../../../server/protocol/formatQuantity.ts';
import { setText } from '../../element.ts';
import type { ViewContext } from '../../viewContext.ts';
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
  readonly #onStep: (step: number) => void;
  readonly #frame: ChartFrame;
  readonly #resizes = new ResizeObserver(() => this.#frame.schedule());
  #content: RidgeContent | undefined;
  #picture: Picture | undefined;
  #cursor: Cell | undefined;

  constructor(context: ViewContext, onStep: (step: number) => void) {
    this.#onStep = onStep;
    this.#frame = new ChartFrame(context, {
      heading: 'h4',
      plotClass: 'ridge-plot',
      tableCaption: l10n.t('Histograms over the steps'),
      rows: (headings) => this.#content && ridgeRows(this.#content.ridges, headings),
      pictureLegend: () => [],
      draw: () => this.#draw(),
    });
    this.#resizes.observe(this.#frame.plot);
    this.#listen();
  }

  get element(): HTMLElement {
    return this.#frame.element;
  }

  update(content: RidgeContent): void {
    this.#content = content;
    const { steps, bins } = content.ridges;
    if (this.#cursor && (this.#cursor.row >= steps.length || this.#cursor.bin >= bins.count)) this.#cursor = undefined;
    const help = l10n.t('{0}. Arrow keys read counts, Enter goes to the step. The menu has a table.', content.name);
    this.#frame.setTitle(content.title, content.name, help);
    this.#frame.setNote(content.note ?? '');
    this.#frame.updateTable();
    this.#frame.schedule();
  }

  dispose(): void {
    this.#frame.dispose();
    this.#resizes.disconnect();
  }

  #listen(): void {
    this.#frame.plot.addEventListener('pointermove', (event) => this.#setCursor(this.#cellAt(event)));
    this.#frame.plot.addEventListener('pointerleave', () => this.#setCursor(undefined));
    this.#frame.plot.addEventListener('blur', () => this.#setCursor(undefined));
    this.#frame.plot.addEventListener('click', (event) => this.#goTo(this.#cellAt(event)));
    this.#frame.plot.addEventListener('keydown', (event) => {
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
        setText(this.#frame.live, this.#frame.readout.textContent ?? '');
      } else return;
      event.preventDefault();
    });
  }

  #cellAt(event: MouseEvent): Cell | undefined {
    if (!this.#content || !this.#picture) return undefined;
    const { ridges } = this.#content;
    const { area, layout } = this.#picture;
    const box = this.#frame.canvas.getBoundingClientRect();
    const bin = Math.floor(((event.clientX - box.left - area.left) / area.width) * ridges.bins.count);
    if (bin < 0 || bin >= ridges.bins.count) return undefined;
    return { row: rowAt(layout, ridges.heights, bin, event.clientY - box.top), bin };
  }

  #setCursor(cell: Cell | undefined): void {
    if (cell?.row === this.#cursor?.row && cell?.bin === this.#cursor?.bin) return;
    this.#cursor = cell;
    setText(this.#frame.readout, cell && this.#content ? cellText(this.#content.ridges, cell) : '');
    this.#frame.schedule();
  }

  #goTo(cell: Cell | undefined): void {
    if (cell && this.#content) this.#onStep(this.#content.ridges.steps[cell.row]);
  }

  #draw(): void {
    const content = this.#content;
    const { clientWidth: width, clientHeight: height } = this.#frame.plot;
    if (!content || width === 0 || height === 0) return;
    const density = window.devicePixelRatio;
    const [columns, lines] = [Math.round(width * density), Math.round(height * density)];
    if (this.#frame.canvas.width !== columns || this.#frame.canvas.height !== lines) {
      this.#frame.canvas.width = columns;
      this.#frame.canvas.height = lines;
      this.#frame.canvas.style.width = `${width}px`;
      this.#frame.canvas.style.height = `${height}px`;
    }
    const ctx = this.#frame.canvas.getContext('2d')!;
    ctx.setTransform(density, 0, 0, density, 0, 0);
    ctx.clearRect(0, 0, width, height);
    const paint = content.kind === 'ridges' ? paintRidges : paintHeatMap;
    this.#picture = paint(ctx, width, height, { ...content, cursor: this.#cursor }, this.#frame.theme);
  }
}

/** `step 1,200, weight −0.095: 312`, of the middle of the bin. */
function cellText({ bins, steps, counts }: Ridges, { row, bin }: Cell): string {
  const width = (bins.maximum - bins.minimum) / bins.count;
  // Near 0, no more digits than tell two bins apart.
  const digits = Math.max(0, Math.min(20, 1 - Math.floor(Math.log10(width))));
  const middle = Number((bins.minimum + (bin + 0.5) * width).toFixed(digits));
  const count = formatCounts(counts[row][bin]);
  return l10n.t('step {0}, weight {1}: {2}', formatChartNumber(steps[row]), formatChartNumber(middle), count);
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
