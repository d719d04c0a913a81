/** @file The table of a sweep's rows. Only the rows that are seen are made: there may be thousands. */
import * as l10n from '@vscode/l10n';
import { formatCount } from '../../server/protocol/formatQuantity.ts';
import type { RunNoteChange, SweptRunRow } from '../../server/protocol/wire/sweep.ts';
import { iconButton } from '../controls/controls.ts';
import { menuButton, type MenuItem } from '../controls/menu.ts';
import { element } from '../element.ts';
import type { Column } from './model/columns.ts';
import type { SweepItem } from './model/items.ts';
import type { OrderedRow, RowOrder } from './model/order.ts';

/** Height of a row in pixels, as the style sheet has it. */
const ROW_HEIGHT = 26;
/** Rows that are made above and below those that are seen. */
const BEYOND = 10;

export interface RowActions {
  sort(order: RowOrder): void;
  choose(id: string): void;
  tick(item: SweepItem, isTicked: boolean): void;
  expand(id: string, isExpanded: boolean): void;
  note(runs: readonly SweptRunRow[], change: RunNoteChange): void;
  menu(item: SweepItem): readonly MenuItem[];
}

export interface ShownRows {
  readonly rows: readonly OrderedRow[];
  readonly columns: readonly Column[];
  readonly order: RowOrder;
  readonly chosen: string | undefined;
  readonly ticked: ReadonlySet<string>;
  readonly expanded: ReadonlySet<string>;
  readonly best: string | undefined;
  nameOf(item: SweepItem): string;
}

export class RowsTable {
  readonly element: HTMLElement;
  readonly #actions: RowActions;
  readonly #head = element('tr');
  readonly #body = element('tbody');
  readonly #table: HTMLTableElement;
  #shown: ShownRows | undefined;
  #headKey = '';
  #drawn = '';
  /** The row whose note is being written: it is not made anew meanwhile. */
  #editing: string | undefined;

  constructor(actions: RowActions) {
    this.#actions = actions;
    this.#table = element(
      'table',
      { class: 'data-table rows-table' },
      element('caption', { class: 'visually-hidden' }, l10n.t('Runs of the sweep')),
      element('thead', {}, this.#head),
      this.#body,
    );
    this.element = element(
      'div',
      { class: 'rows-scroll', tabindex: 0, role: 'region', 'aria-label': l10n.t('Runs of the sweep') },
      this.#table,
    );
    this.element.addEventListener('scroll', () => this.#fill());
    new ResizeObserver(() => this.#fill()).observe(this.element);
    // What has changed while a menu was open is shown when it is closed.
    this.#body.addEventListener('focusout', () => requestAnimationFrame(() => this.#fill()));
  }

  update(shown: ShownRows): void {
    this.#shown = shown;
    this.#drawHead(shown);
    this.refresh();
  }

  /** Makes the rows that are seen once more: texts of them have changed. */
  refresh(): void {
    this.#drawn = '';
    this.#fill();
  }

  /** Scrolls so that a row is seen. */
  reveal(id: string): void {
    const index = this.#shown?.rows.findIndex(({ item }) => item.id === id) ?? -1;
    if (index < 0) return;
    const { scrollTop, clientHeight } = this.element;
    const top = index * ROW_HEIGHT;
    if (top >= scrollTop && top + 2 * ROW_HEIGHT <= scrollTop + clientHeight) return;
    this.element.scrollTop = Math.max(0, top - clientHeight / 2);
    this.#fill();
  }

  #drawHead({ columns, order }: ShownRows): void {
    const key = JSON.stringify([columns.map(({ id, title }) => [id, title]), order]);
    if (key === this.#headKey) return;
    this.#headKey = key;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.column;
    this.#head.replaceChildren(
      element('td', { class: 'col-tick' }),
      element('td', { class: 'col-pin' }),
      ...columns.map((column, i) => this.#heading(column, order, i === 0)),
      element('td', { class: 'col-menu' }),
    );
    if (focused !== undefined) this.#head.querySelector<HTMLElement>(`[data-column="${CSS.escape(focused)}"]`)?.focus();
  }

  #heading(column: Column, order: RowOrder, isFirst: boolean): HTMLElement {
    const sort = element('button', { type: 'button', class: 'sort-button', title: column.fullName }, column.title);
    sort.dataset.column = column.id;
    sort.addEventListener('click', () => {
      const first = !column.smallerFirst;
      if (order.column !== column.id) this.#actions.sort({ column: column.id, descending: first });
      else
        this.#actions.sort(
          order.descending === first ? { column: column.id, descending: !first } : { descending: false },
        );
    });
    const isSorted = order.column === column.id;
    return element(
      'th',
      {
        scope: 'col',
        class: isFirst ? 'col-first' : column.isNumeric ? 'numeric' : undefined,
        'aria-sort': isSorted ? (order.descending ? 'descending' : 'ascending') : undefined,
      },
      sort,
    );
  }

  /** Makes the rows that are seen, and room for the others. */
  #fill(): void {
    const shown = this.#shown;
    if (!shown || this.#editing !== undefined || this.#body.querySelector('.menu:not([hidden])')) return;
    const { rows, columns } = shown;
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW_HEIGHT) - BEYOND);
    const seen = Math.ceil((this.element.clientHeight || 400) / ROW_HEIGHT) + 2 * BEYOND;
    const last = Math.min(rows.length, first + seen);
    const key = `${first} ${last}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#table.setAttribute('aria-rowcount', String(rows.length + 1));
    const focused = focusIn(this.#body);
    const width = columns.length + 3;
    this.#body.replaceChildren(
      ...room(first, width),
      ...rows.slice(first, last).map((row, i) => this.#row(shown, row, first + i)),
      ...(rows.length === 0 ? [nothing(width)] : []),
      ...room(rows.length - last, width),
    );
    if (focused !== undefined) this.#body.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true }); // prettier-ignore
  }

  #row(shown: ShownRows, { item, within }: OrderedRow, index: number): HTMLElement {
    const { columns, chosen, ticked, best, nameOf } = shown;
    const name = nameOf(item);
    const isTicked = item.runs.every(({ key }) => ticked.has(key));
    const tick = element('input', { type: 'checkbox', 'aria-label': l10n.t('Choose {0}', name) });
    tick.checked = isTicked;
    tick.dataset.focus = `tick ${item.id}`;
    tick.addEventListener('change', () => this.#actions.tick(item, tick.checked));
    const menu = menuButton(l10n.t('Actions for {0}', name), () => this.#actions.menu(item));
    menu.querySelector('button')?.setAttribute('data-focus', `menu ${item.id}`);
    const row = element(
      'tr',
      {
        'aria-rowindex': index + 2,
        class: [
          item.id === chosen ? 'is-selected' : '',
          item.isPinned ? 'is-pinned' : '',
          within === undefined ? '' : 'is-within',
        ].join(' '),
      },
      element('td', { class: 'col-tick' }, tick),
      element('td', { class: 'col-pin' }, this.#pin(item, name)),
      ...columns.map((column, i) => this.#cell(shown, column, item, within, i === 0)),
      element('td', { class: 'col-menu' }, menu),
    );
    if (item.id === best) row.classList.add('is-best');
    row.addEventListener('click', ({ target }) => {
      const isControl = target instanceof Element && target.closest('button, input, .menu-root');
      if (!isControl) this.#actions.choose(item.id);
    });
    return row;
  }

  #pin(item: SweepItem, name: string): HTMLElement {
    const { isPinned, runs } = item;
    const pin = iconButton('pin', isPinned ? l10n.t('Unpin {0}', name) : l10n.t('Pin {0}', name), () =>
      this.#actions.note(runs, { pinned: !isPinned }),
    );
    pin.setAttribute('aria-pressed', String(isPinned));
    pin.dataset.focus = `pin ${item.id}`;
    return pin;
  }

  #cell(shown: ShownRows, column: Column, item: SweepItem, within: string | undefined, isFirst: boolean): HTMLElement {
    const text = column.text(item);
    if (column.id === 'note') return this.#noteCell(shown, item, text);
    const content: (Node | string)[] = [isFirst ? this.#chooser(shown, item, text) : text];
    if (isFirst && item.runs.length > 1 && within === undefined) content.unshift(this.#twistie(shown, item));
    if (isFirst && item.id === shown.best) content.push(element('span', { class: 'tag' }, l10n.t('best')));
    const problem = column.id === 'state' ? item.runs.find((run) => run.problem)?.problem : undefined;
    const attributes = {
      class: [column.isNumeric ? 'numeric' : '', isFirst ? 'col-first' : '', problem ? 'is-problem' : ''].join(' '),
      title: problem ?? (text.length > 20 ? text : undefined),
    };
    return isFirst ? element('th', { scope: 'row', ...attributes }, ...content) : element('td', attributes, ...content);
  }

  /** Sets the row off in the charts, for the keyboard too. */
  #chooser({ chosen, nameOf }: ShownRows, item: SweepItem, text: string): HTMLElement {
    const isChosen = item.id === chosen;
    const choose = element(
      'button',
      {
        type: 'button',
        class: 'row-button',
        'aria-label': l10n.t('{0}: set off in the charts', nameOf(item)),
        'aria-pressed': String(isChosen),
      },
      text,
    );
    choose.dataset.focus = `choose ${item.id}`;
    choose.addEventListener('click', () => this.#actions.choose(item.id));
    return choose;
  }

  #twistie({ expanded, nameOf }: ShownRows, item: SweepItem): HTMLElement {
    const isExpanded = expanded.has(item.id);
    const name = nameOf(item);
    const label = isExpanded ? l10n.t('Hide the seeds of {0}', name) : l10n.t('Show the seeds of {0}', name);
    const twistie = iconButton('next', label, () => this.#actions.expand(item.id, !isExpanded));
    twistie.classList.add('twistie');
    twistie.setAttribute('aria-expanded', String(isExpanded));
    twistie.dataset.focus = `twistie ${item.id}`;
    return twistie;
  }

  /** Different notes of the runs of one row are edited in the rows of these runs, which the cell then shows. */
  #noteCell({ expanded, nameOf }: ShownRows, item: SweepItem, text: string): HTMLElement {
    const name = nameOf(item);
    const areSeveral = item.notes.length > 1;
    const isExpanded = expanded.has(item.id);
    const cell = element('td', { class: 'col-note' });
    const open = element(
      'button',
      {
        type: 'button',
        class: text === '' ? 'link-button muted' : 'link-button',
        title: text === '' ? undefined : text,
        'aria-expanded': areSeveral ? String(isExpanded) : undefined,
        'aria-label': areSeveral
          ? l10n.t('Notes of {0}: {1}. Each is edited in the row of its seed.', name, text)
          : text === ''
            ? l10n.t('Add a note to {0}', name)
            : l10n.t('Note of {0}: {1}', name, text),
      },
      text === '' ? '+' : text,
    );
    open.dataset.focus = `note ${item.id}`;
    open.addEventListener('click', (event) => {
      event.stopPropagation();
      if (areSeveral) this.#actions.expand(item.id, !isExpanded);
      else this.#edit(cell, item, name);
    });
    cell.append(open);
    return cell;
  }

  /** Changes the note of the runs that have it, or gives one to all runs where none has any. */
  #edit(cell: HTMLElement, { id, runs, notes: [known = ''] }: SweepItem, name: string): void {
    const noted = runs.filter(({ note }) => (note?.text ?? '') === known);
    const input = element('input', { type: 'text', class: 'search', 'aria-label': l10n.t('Note of {0}', name) });
    input.value = known;
    this.#editing = id;
    let isOver = false;
    const end = (saves: boolean) => {
      if (isOver) return;
      isOver = true;
      this.#editing = undefined;
      const text = input.value.trim();
      if (saves && text !== known) this.#actions.note(noted, { text });
      this.#drawn = '';
      this.#fill();
      this.#body.querySelector<HTMLElement>(`[data-focus="${CSS.escape(`note ${id}`)}"]`)?.focus();
    };
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') end(true);
      else if (event.key === 'Escape') end(false);
      else return;
      event.preventDefault();
    });
    input.addEventListener('blur', () => end(true));
    input.addEventListener('click', (event) => event.stopPropagation());
    cell.replaceChildren(input);
    input.focus();
  }
}

/** What has the focus among the rows, by its name. */
function focusIn(body: HTMLElement): string | undefined {
  const focused = document.activeElement;
  return focused instanceof HTMLElement && body.contains(focused) ? focused.dataset.focus : undefined;
}

/** An empty row as high as some rows. */
function room(rows: number, width: number): HTMLElement[] {
  if (rows <= 0) return [];
  const cell = element('td', { colspan: width });
  cell.style.height = `${rows * ROW_HEIGHT}px`;
  return [element('tr', { class: 'rows-room', 'aria-hidden': 'true' }, cell)];
}

function nothing(width: number): HTMLElement {
  return element('tr', {}, element('td', { colspan: width, class: 'muted' }, l10n.t('No run passes the filter.')));
}

/** `12 of 96 rows` */
export function countText(shown: number, all: number): string {
  return shown === all
    ? l10n.t('{0} rows', formatCount(all))
    : l10n.t('{0} of {1} rows', formatCount(shown), formatCount(all));
}
