/** @file The page of a sweep: its head, filter, charts and the table of its runs, which share rows, columns and order. Draws at most once a frame. */
import * as l10n from '@vscode/l10n';
import { formatCount } from '../../server/protocol/formatQuantity.ts';
import { isRecord } from '../../server/protocol/record.ts';
import { stackOf } from '../../server/protocol/thrown.ts';
import { isOver, type FromSweepPage, type SweepContent } from '../../server/protocol/wire/sweep.ts';
import { createChart } from '../charts/chart.ts';
import { button, checkbox, progressBar } from '../controls/controls.ts';
import type { MenuItem } from '../controls/menu.ts';
import { element, setText } from '../element.ts';
import { isBoolean, isText } from '../messageShapes.ts';
import type { ChartContext } from '../viewContext.ts';
import type { ViewState } from '../viewState.ts';
import { createImportanceList } from './importanceList.ts';
import { parseSweepMessage } from './messages.ts';
import { axesOf, endTexts, isBrushed, type Brush, type ParallelAxis } from './model/axes.ts';
import { columnsOf, type Column } from './model/columns.ts';
import { parseFilter } from './model/filter.ts';
import { frontContent, frontPoints, ROWS_SERIES } from './model/frontContent.ts';
import { importanceOf } from './model/importance.ts';
import { itemsOf, type SweepItem, type SweepItems } from './model/items.ts';
import { orderedRows, type RowOrder } from './model/order.ts';
import { ParallelChart } from './parallelChart.ts';
import { countText, RowsTable } from './rowsTable.ts';

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isOrder = (value: unknown): value is RowOrder =>
  isRecord(value) && isBoolean(value.descending) && (value.column === undefined || isText(value.column));

/** What is made of a sweep when it comes, and again only when it changes or runs are taken together otherwise. */
interface Derived extends SweepItems {
  readonly columns: readonly Column[];
  readonly metricColumn: Column | undefined;
  readonly names: ReadonlyMap<string, string>;
  readonly haveSeeds: boolean;
}

export class SweepPage {
  readonly #send: (message: FromSweepPage) => void;
  readonly #filter;
  readonly #order;
  readonly #hidden;
  readonly #together;
  readonly #title = element('h1', { class: 'file-name' });
  readonly #facts = element('p', { class: 'muted file-facts' });
  readonly #continue = button(l10n.t('Continue Sweep'), () => this.#send({ type: 'continue' }), {
    iconName: 'continue',
  });
  readonly #continueSearch = button(l10n.t('Continue Search'), () => this.#send({ type: 'continue' }), {
    iconName: 'continue',
  });
  readonly #use = button(l10n.t('Use These Values'), () => this.#useBest(), { primary: true });
  readonly #search = element('input', {
    type: 'search',
    class: 'search filter',
    placeholder: l10n.t('Filter, e.g. rate > 0.9 and bytes < 20 kB'),
    'aria-label': l10n.t('Filter'),
    'aria-describedby': 'filter-problem',
  });
  readonly #problemOfFilter = element('p', { class: 'filter-problem', id: 'filter-problem', role: 'status' });
  readonly #count = element('span', { class: 'muted', role: 'status' });
  readonly #chips = element('div', { class: 'chips' });
  readonly #togetherBox;
  readonly #columnsMenu = element('details', { class: 'columns-menu' });
  readonly #columnsList = element('div', { class: 'columns-list' });
  readonly #open = button(l10n.t('Open in Dashboard'), () => this.#openTicked());
  readonly #notice = element('div', { class: 'notice notice-error', role: 'alert', hidden: true });
  readonly #loading = progressBar(l10n.t('The sweep is read'));
  readonly #main: HTMLElement;
  readonly #parallel: ParallelChart;
  readonly #front;
  readonly #importance = createImportanceList();
  readonly #table: RowsTable;
  readonly #viewState: ViewState;
  readonly #brushes = new Map<string, Brush>();
  readonly #ticked = new Set<string>();
  readonly #expanded = new Set<string>();
  /** How far runs are, by their keys. */
  readonly #progress = new Map<string, string>();
  #sweep: SweepContent | undefined;
  #isTrusted = true;
  #derived: Derived | undefined;
  #chosen: string | undefined;
  #passing: readonly SweepItem[] = [];
  #frame = 0;
  #hasCharts = false;

  constructor(body: HTMLElement, viewState: ViewState, send: (message: FromSweepPage) => void) {
    this.#send = send;
    this.#viewState = viewState;
    const context: ChartContext = {
      send,
      remember: (name, initial, isValid) => viewState.remember(name, initial, isValid),
    };
    this.#filter = context.remember('filter', '', isText);
    this.#order = context.remember<RowOrder>('order', { descending: false }, isOrder);
    this.#hidden = context.remember<string[]>('hidden', [], isTexts);
    this.#together = context.remember('together', true, isBoolean);
    this.#parallel = new ParallelChart(context, {
      brush: (column, brush) => {
        if (brush) this.#brushes.set(column, brush);
        else this.#brushes.delete(column);
        this.#schedule();
      },
      choose: (id) => this.#choose(id, true),
    });
    this.#front = createChart({
      id: 'front',
      title: l10n.t('Size vs. metric'),
      context,
      onPoint: (series, index) => {
        const metric = this.#derived?.metricColumn;
        const point = series === ROWS_SERIES && metric ? frontPoints(this.#passing, metric)[index] : undefined;
        if (point) this.#choose(point.item.id, true);
      },
    });
    this.#table = new RowsTable({
      sort: (order) => this.#change(() => this.#order.set(order)),
      choose: (id) => this.#choose(id, false),
      tick: ({ runs }, isTicked) => {
        for (const { key } of runs)
          if (isTicked) this.#ticked.add(key);
          else this.#ticked.delete(key);
        this.#schedule();
      },
      expand: (id, isExpanded) => {
        if (isExpanded) this.#expanded.add(id);
        else this.#expanded.delete(id);
        this.#schedule();
      },
      note: (runs, change) => send({ type: 'note', runs: runs.map(({ key }) => key), change }),
      menu: (item) => this.#menuOf(item),
    });
    this.#search.value = this.#filter.get();
    this.#search.addEventListener('input', () => this.#change(() => this.#filter.set(this.#search.value)));
    this.#togetherBox = checkbox(l10n.t('Take seeds together'), this.#together.get(), (isOn) =>
      this.#change(() => {
        this.#together.set(isOn);
        this.#derived = undefined;
      }),
    );
    this.#columnsMenu.append(element('summary', {}, l10n.t('Columns')), this.#columnsList);
    this.#main = element(
      'main',
      { class: 'sweep-body scroller', hidden: true },
      element(
        'div',
        { class: 'toolbar', role: 'search' },
        this.#search,
        this.#togetherBox.element,
        this.#columnsMenu,
        this.#count,
      ),
      this.#problemOfFilter,
      element('h2', { class: 'visually-hidden' }, l10n.t('Charts')),
      element('div', { class: 'sweep-charts' }, this.#parallel.element, this.#front.element, this.#importance.element),
      // Below the charts: these must not move while a brush is drawn.
      element('div', { class: 'toolbar rows-toolbar' }, this.#open, this.#chips),
      this.#table.element,
    );
    body.append(
      element(
        'header',
        { class: 'file-head sweep-head' },
        element('div', {}, this.#title, this.#facts),
        element('div', { class: 'sweep-buttons' }, this.#use, this.#continue, this.#continueSearch),
      ),
      element('div', { class: 'notices' }, this.#notice),
      this.#loading.element,
      this.#main,
    );
  }

  receive(data: unknown): void {
    try {
      const message = parseSweepMessage(data);
      if (!message) return;
      if (message.type === 'sweep') {
        this.#sweep = message.sweep;
        this.#isTrusted = message.isTrusted;
        this.#derived = undefined;
        this.#viewState.path = message.sweep.path;
      } else if (message.type === 'progress') {
        for (const { run, text } of message.runs) this.#progress.set(run, text);
        return this.#table.refresh();
      } else
        this.#notice.replaceChildren(
          element('div', { class: 'notice-title' }, message.message),
          element('div', { class: 'notice-text' }, message.remedy ?? ''),
        );
      this.#notice.hidden = message.type === 'sweep';
      this.#loading.element.hidden = true;
      this.#schedule();
    } catch (error) {
      this.#send({ type: 'error', message: stackOf(error) });
    }
  }

  #change(change: () => void): void {
    change();
    this.#schedule();
  }

  #choose(id: string, reveals: boolean): void {
    this.#chosen = id;
    this.#schedule();
    if (reveals) requestAnimationFrame(() => requestAnimationFrame(() => this.#table.reveal(id)));
  }

  #schedule(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      try {
        this.#draw();
      } catch (error) {
        this.#send({ type: 'error', message: stackOf(error) });
      }
    });
  }

  #derive(sweep: SweepContent): Derived {
    if (this.#derived) return this.#derived;
    const found = itemsOf(sweep.rows, this.#together.get());
    const columns = columnsOf(found, (run) => this.#progress.get(run));
    const settings = columns.filter(({ kind }) => kind === 'setting');
    const nameOf = (item: SweepItem) =>
      settings
        .filter((column) => column.text(item) !== '')
        .map((column) => `${column.title} ${column.text(item)}`)
        .join(', ') || item.id;
    return (this.#derived = {
      ...found,
      columns,
      metricColumn: columns.find(({ id }) => id === found.by),
      names: new Map(found.items.map((item) => [item.id, nameOf(item)])),
      haveSeeds: new Set(sweep.rows.map(({ seed }) => seed)).size > 1,
    });
  }

  #draw(): void {
    const sweep = this.#sweep;
    this.#main.hidden = !sweep;
    if (!sweep) return;
    const derived = this.#derive(sweep);
    const { items, columns, names, haveSeeds } = derived;
    const hidden = new Set(this.#hidden.get());
    const shownColumns = columns.filter(({ id }) => !hidden.has(id));
    const axes = axesOf(items, shownColumns);
    const { passes, problem } = parseFilter(this.#filter.get(), columns);
    const passing = items.filter((item) => passes(item) && isBrushed(item, axes, this.#brushes));
    this.#passing = passing;
    const best = this.#best();
    const nameOf = (item: SweepItem) => names.get(item.id) ?? item.id;

    this.#drawHead(sweep, derived);
    setText(this.#problemOfFilter, problem ?? '');
    this.#problemOfFilter.hidden = problem === undefined;
    setText(this.#count, countText(passing.length, items.length));
    this.#togetherBox.element.hidden = !haveSeeds;
    this.#togetherBox.set(this.#together.get());
    this.#drawChips(axes);
    this.#drawColumns(columns, hidden);
    this.#table.update({
      rows: orderedRows(passing, columns, this.#order.get(), this.#expanded),
      columns: shownColumns,
      order: this.#order.get(),
      chosen: this.#chosen,
      ticked: this.#ticked,
      expanded: this.#expanded,
      best: best?.id,
      nameOf,
    });
    this.#open.toggleAttribute('disabled', this.#ticked.size === 0);
    const drawCharts = () => this.#drawCharts(derived, axes);
    if (this.#hasCharts) drawCharts();
    // Rows are on the screen before the first charts are made.
    else requestAnimationFrame(() => requestAnimationFrame(drawCharts));
  }

  #drawCharts({ items, columns, metricColumn, names }: Derived, axes: readonly ParallelAxis[]): void {
    this.#hasCharts = true;
    const passing = this.#passing;
    const nameOf = (item: SweepItem) => names.get(item.id) ?? item.id;
    this.#parallel.update({
      axes,
      items,
      passing: new Set(passing.map(({ id }) => id)),
      brushes: this.#brushes,
      metric: metricColumn,
      chosen: this.#chosen,
      nameOf,
    });
    this.#parallel.element.hidden = axes.length < 2;
    if (metricColumn) this.#front.update(frontContent(passing, metricColumn, nameOf, this.#chosen));
    this.#front.element.hidden = !metricColumn;
    this.#importance.update(metricColumn ? importanceOf(passing, columns, metricColumn) : [], metricColumn);
    this.#importance.element.hidden = !metricColumn;
  }

  /** The first of the rows that pass, which come best first, if it has a result; of a search, what it has found. */
  #best(): SweepItem | undefined {
    const { search } = this.#sweep ?? {};
    if (search) return this.#derived?.items.find(({ runs }) => runs.some(({ id }) => id === search.result?.best?.run));
    const metric = this.#derived?.metricColumn;
    const [first] = this.#passing;
    const value = first && metric?.value(first);
    return typeof value === 'number' && !Number.isNaN(value) ? first : undefined;
  }

  #drawHead(sweep: SweepContent, { metricColumn }: Derived): void {
    const { id, size, rows, search } = sweep;
    setText(this.#title, id);
    const finished = rows.filter(({ state }) => state === 'finished').length;
    const failed = rows.filter(({ state }) => state === 'failed').length;
    const best = this.#best();
    const facts = [
      search
        ? l10n.t('{0} runs finished', formatCount(finished))
        : l10n.t('{0} of {1} runs finished', formatCount(finished), formatCount(size)),
      failed > 0 && l10n.t('{0} failed', formatCount(failed)),
      search && l10n.t('target {0}', search.target),
      search?.result && (search.result.isMet ? l10n.t('found') : l10n.t('not reached; the nearest')),
      best && metricColumn && l10n.t('best {0} {1}', metricColumn.title, metricColumn.text(best)),
    ];
    setText(this.#facts, facts.filter((part) => typeof part === 'string').join(' · '));
    this.#continue.hidden = isOver(sweep) || !this.#isTrusted || search !== undefined;
    this.#continueSearch.hidden = isOver(sweep) || !this.#isTrusted || !search;
    this.#use.hidden = !best;
    const name = best && this.#derived?.names.get(best.id);
    this.#use.title =
      name === undefined ? '' : l10n.t('Write the values of the best row into the experiment file: {0}', name);
  }

  /** A chip for each brush, which takes it away. */
  #drawChips(axes: readonly ParallelAxis[]): void {
    const chips = axes.flatMap((axis) => {
      const { column } = axis;
      const brush = this.#brushes.get(column.id);
      if (!brush) return [];
      const text = l10n.t('{0}: {1} to {2}', column.title, ...endTexts(axis, brush));
      const chip = element('button', { type: 'button', class: 'chip', title: l10n.t('Show all again') }, text, ' ×');
      chip.addEventListener('click', () =>
        this.#change(() => {
          this.#brushes.delete(column.id);
          this.#search.focus();
        }),
      );
      return [chip];
    });
    this.#chips.replaceChildren(...chips);
    this.#chips.hidden = chips.length === 0;
  }

  #drawColumns(columns: readonly Column[], hidden: ReadonlySet<string>): void {
    const key = JSON.stringify([columns.map(({ id }) => id), [...hidden]]);
    if (this.#columnsList.dataset.key === key) return;
    this.#columnsList.dataset.key = key;
    this.#columnsList.replaceChildren(
      ...columns.map(({ id, title }) => {
        const box = element('input', { type: 'checkbox' });
        box.checked = !hidden.has(id);
        box.addEventListener('change', () =>
          this.#change(() => this.#hidden.set(box.checked ? [...hidden].filter((one) => one !== id) : [...hidden, id])),
        );
        return element('label', {}, box, title);
      }),
    );
  }

  #menuOf(item: SweepItem): readonly MenuItem[] {
    return [
      { label: l10n.t('Open in Dashboard'), run: () => this.#send({ type: 'open', runs: keysOf(item) }) },
      { label: l10n.t('Use These Values'), run: () => this.#send({ type: 'use', run: item.runs[0].key }) },
    ];
  }

  #useBest(): void {
    const best = this.#best();
    if (best) this.#send({ type: 'use', run: best.runs[0].key });
  }

  #openTicked(): void {
    if (this.#ticked.size > 0) this.#send({ type: 'open', runs: [...this.#ticked].slice(0, 1000) });
  }
}

function keysOf({ runs }: SweepItem): string[] {
  return runs.map(({ key }) => key);
}
