/** @file The frame that all charts share: title, readout, menu, plot, table, note, and saving as PNG and CSV. */
import * as l10n from '@vscode/l10n';
import { menuButton, type MenuItem } from '../controls/menu.ts';
import { element, setText } from '../element.ts';
import type { ChartContext } from '../viewContext.ts';
import type { Series } from './model/content.ts';
import { fileHeadings, fileName, tableHeadings, toCsv, toPng, type Headings, type Rows } from './export.ts';
import { createTable } from './table.ts';
import { onThemeChange, readTheme, type ChartTheme } from './theme.ts';
import { stackOf } from '../../server/protocol/thrown.ts';

/** What a chart adds to its frame. */
export interface ChartParts {
  /** Heading level of the title. */
  readonly heading: 'h3' | 'h4';
  /** Class of the whole chart, besides `chart`. */
  readonly class?: string;
  /** Class of the plot, besides `chart-plot`. */
  readonly plotClass?: string;
  /** Elements over the canvas. */
  readonly overlays?: readonly HTMLElement[];
  /** Elements between title and plot, and between table and note. */
  readonly above?: readonly HTMLElement[];
  readonly below?: readonly HTMLElement[];
  /** Elements beside the menu. */
  readonly buttons?: readonly HTMLElement[];
  readonly tableCaption: string;
  /** The content as rows; undefined while there is none. */
  rows(headings: Headings): Rows | undefined;
  /** Series that a saved picture names in its legend. */
  pictureLegend(): readonly Series[];
  /** Called once for each animation frame in which the chart is to be drawn. */
  draw(): void;
  /** Calls a function while the canvas has enough pixels for a picture. */
  sharpened?<T>(take: () => T): T;
  /** What the chart is of, for a picture that is seen by itself. */
  subject?(): string | undefined;
  /** Further entries of the menu. */
  menuItems?(): readonly MenuItem[];
}

export class ChartFrame {
  readonly element: HTMLElement;
  readonly canvas = element('canvas', { 'aria-hidden': 'true' });
  readonly plot: HTMLElement;
  /** The place of the cursor, beside the title. */
  readonly readout = element('span', { class: 'chart-place' });
  /** Announced by screen readers. */
  readonly live = element('div', { class: 'visually-hidden', 'aria-live': 'polite' });
  readonly #context: ChartContext;
  readonly #parts: ChartParts;
  readonly #title: HTMLElement;
  readonly #note = element('p', { class: 'chart-note', hidden: true });
  readonly #table;
  readonly #stopThemes: () => void;
  #theme = readTheme();
  #name = '';
  #frame = 0;

  constructor(context: ChartContext, parts: ChartParts) {
    this.#context = context;
    this.#parts = parts;
    this.#title = element(parts.heading, { class: 'chart-title' });
    this.#table = createTable(parts.tableCaption);
    this.#table.element.hidden = true;
    this.plot = element(
      'div',
      {
        class: ['chart-plot', parts.plotClass].filter(Boolean).join(' '),
        tabindex: 0,
        role: 'application',
        'aria-roledescription': l10n.t('chart'),
      },
      this.canvas,
      ...(parts.overlays ?? []),
    );
    this.element = element(
      'section',
      { class: ['chart', parts.class].filter(Boolean).join(' ') },
      element('header', { class: 'chart-head' }, this.#title, this.readout, ...(parts.buttons ?? []), this.#menu()),
      ...(parts.above ?? []),
      this.plot,
      this.#table.element,
      ...(parts.below ?? []),
      this.#note,
      this.live,
    );
    this.#stopThemes = onThemeChange(() => {
      this.#theme = readTheme();
      this.schedule();
    });
  }

  get theme(): ChartTheme {
    return this.#theme;
  }

  /**
   * @param title shown above the plot
   * @param name of the chart in files and for screen readers
   * @param help how the keyboard reads the plot, with the name
   */
  setTitle(title: string, name: string, help: string): void {
    this.#name = name;
    setText(this.#title, title);
    this.element.setAttribute('aria-label', name);
    this.plot.setAttribute('aria-label', help);
  }

  /** Shows a sentence below the chart; an empty one hides it. */
  setNote(note: string): void {
    setText(this.#note, note);
    this.#note.hidden = note === '';
  }

  /** Draws the chart in the next animation frame. */
  schedule(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#parts.draw());
  }

  /** Fills the table again, where it is shown. */
  updateTable(): void {
    const rows = this.plot.hidden ? this.#parts.rows(tableHeadings) : undefined;
    if (rows) this.#table.update(rows);
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.#stopThemes();
  }

  #menu(): HTMLElement {
    return menuButton(l10n.t('Chart actions'), () => [
      { label: l10n.t('Save as PNG…'), run: () => void this.#savePng() },
      { label: l10n.t('Save as CSV…'), run: () => this.#saveCsv() },
      { label: this.plot.hidden ? l10n.t('Show as chart') : l10n.t('Show as table'), run: () => this.#switchTable() },
      ...(this.#parts.menuItems?.() ?? []),
    ]);
  }

  #switchTable(): void {
    this.plot.hidden = !this.plot.hidden;
    this.#table.element.hidden = !this.plot.hidden;
    this.updateTable();
    this.schedule();
  }

  #saveCsv(): void {
    const rows = this.#parts.rows(fileHeadings);
    if (!rows) return;
    this.#context.send({ type: 'save', name: fileName(this.#name, 'csv'), format: 'csv', content: toCsv(rows) });
  }

  async #savePng(): Promise<void> {
    if (!this.#parts.rows(fileHeadings)) return;
    try {
      const subject = this.#parts.subject?.();
      const title = subject === undefined ? this.#name : `${this.#name} · ${subject}`;
      const take = () => toPng(this.canvas, title, this.#parts.pictureLegend(), this.#theme);
      const content = await (this.#parts.sharpened?.(take) ?? take());
      this.#context.send({ type: 'save', name: fileName(this.#name, 'png'), format: 'png', content });
    } catch (error) {
      this.#context.send({ type: 'error', message: stackOf(error) });
    }
  }
}
