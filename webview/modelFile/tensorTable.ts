/** @file The table of a file's tensors. Rows are made once, and filled as their numbers come. */
import * as l10n from '@vscode/l10n';
import { formatBytes, formatChartNumber, formatCount, formatPercent } from '../../server/protocol/formatQuantity.ts';
import { isDescendingFirst, zeroShare, type TensorSortKey } from '../../server/protocol/model/tensor.ts';
import { button } from '../controls/controls.ts';
import { element, setText } from '../element.ts';
import type { KnownTensor, TensorOrder } from './fileState.ts';

/** More rows make the page slow; the rest is found by search, or shown on demand. */
const ROWS = 500;

interface Column {
  readonly key: TensorSortKey;
  readonly title: string;
  readonly numeric?: true;
  text(known: KnownTensor): string;
}

const missing = '–';
const number = (value: number | null | undefined) => (typeof value === 'number' ? formatChartNumber(value) : missing);

const columns: readonly Column[] = [
  { key: 'name', title: l10n.t('Tensor'), text: ({ tensor }) => tensor.name },
  { key: 'shape', title: l10n.t('Shape'), text: ({ tensor }) => tensor.shape.join(' × ') || l10n.t('scalar') },
  { key: 'dtype', title: l10n.t('Type'), text: ({ tensor }) => tensor.dtype },
  { key: 'form', title: l10n.t('Form'), text: ({ tensor }) => tensor.form ?? missing },
  { key: 'elements', title: l10n.t('Elements'), numeric: true, text: ({ tensor }) => formatCount(tensor.elements) },
  { key: 'bytes', title: l10n.t('Bytes'), numeric: true, text: ({ tensor }) => formatBytes(tensor.bytes) },
  { key: 'zeros', title: l10n.t('Zeros'), numeric: true, text: zerosText },
  { key: 'minimum', title: l10n.t('Minimum'), numeric: true, text: ({ statistics }) => number(statistics?.minimum) },
  { key: 'maximum', title: l10n.t('Maximum'), numeric: true, text: ({ statistics }) => number(statistics?.maximum) },
  { key: 'mean', title: l10n.t('Mean'), numeric: true, text: ({ statistics }) => number(statistics?.mean) },
  { key: 'deviation', title: l10n.t('Std'), numeric: true, text: ({ statistics }) => number(statistics?.deviation) },
];

function zerosText({ tensor, statistics, problem }: KnownTensor): string {
  if (problem) return l10n.t('not read');
  const share = statistics && zeroShare(tensor, statistics);
  return share === undefined ? missing : formatPercent(share);
}

interface Row {
  readonly element: HTMLTableRowElement;
  readonly name: HTMLButtonElement;
  readonly cells: readonly HTMLElement[];
  known: KnownTensor;
}

export interface TableActions {
  sort(order: TensorOrder): void;
  select(index: number): void;
  /** Called when other rows are seen. */
  scrolled(): void;
}

export class TensorTable {
  readonly element: HTMLElement;
  readonly #actions: TableActions;
  readonly #headers: readonly HTMLTableCellElement[];
  readonly #body = element('tbody');
  readonly #note = element('p', { class: 'view-note' });
  readonly #more: HTMLElement;
  readonly #table: HTMLTableElement;
  readonly #rows = new Map<number, Row>();
  readonly #seen = new Set<Element>();
  readonly #observer: IntersectionObserver;
  #shown: readonly KnownTensor[] = [];
  #most = ROWS;
  #order: TensorOrder = { descending: false };

  constructor(actions: TableActions) {
    this.#actions = actions;
    this.#headers = columns.map(({ key, title, numeric }) => {
      const sort = element('button', { type: 'button', class: 'sort-button' }, title);
      sort.addEventListener('click', () => this.#actions.sort(this.#next(key)));
      return element('th', { scope: 'col', class: `col-${key}${numeric ? ' numeric' : ''}` }, sort);
    });
    this.#table = element(
      'table',
      { class: 'data-table tensor-table' },
      element('caption', { class: 'visually-hidden' }, l10n.t('Tensors of the file')),
      element('thead', {}, element('tr', {}, ...this.#headers)),
      this.#body,
    );
    this.#more = button(l10n.t('Show more'), () => {
      this.#most += ROWS;
      this.#fill();
    });
    this.#observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries)
        if (isIntersecting) this.#seen.add(target);
        else this.#seen.delete(target);
      this.#actions.scrolled();
    });
    this.element = element('div', { class: 'tensors' }, this.#table, this.#note, this.#more);
  }

  /** Tensors whose rows are seen, in their order. */
  get visible(): readonly number[] {
    return this.#shown.flatMap(({ index }) =>
      this.#seen.has(this.#rows.get(index)?.element ?? this.#body) ? [index] : [],
    );
  }

  /** Forgets all rows: the file is another. */
  clear(): void {
    this.#observer.disconnect();
    this.#seen.clear();
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#shown = [];
    this.#most = ROWS;
  }

  /**
   * @param shown tensors in their order
   * @param selected the one whose details are shown
   */
  update(shown: readonly KnownTensor[], order: TensorOrder, selected: number | undefined, withForms: boolean): void {
    this.#shown = shown;
    this.#order = order;
    this.#table.classList.toggle('has-forms', withForms);
    this.#headers.forEach((header, i) => {
      if (columns[i].key === order.key) header.setAttribute('aria-sort', order.descending ? 'descending' : 'ascending');
      else header.removeAttribute('aria-sort');
    });
    this.#fill();
    for (const [index, row] of this.#rows) {
      row.element.classList.toggle('is-selected', index === selected);
      if (index === selected) row.name.setAttribute('aria-current', 'true');
      else row.name.removeAttribute('aria-current');
    }
  }

  /** Numbers the largest first, words from A to Z; then the opposite; then the order of the file. */
  #next(key: TensorSortKey): TensorOrder {
    const first = isDescendingFirst(key);
    if (this.#order.key !== key) return { key, descending: first };
    return this.#order.descending === first ? { key, descending: !first } : { descending: false };
  }

  #fill(): void {
    const shown = this.#shown.slice(0, this.#most);
    const elements = shown.map((known) => this.#row(known).element);
    if (elements.length !== this.#body.children.length || elements.some((row, i) => this.#body.children[i] !== row)) {
      const focused = document.activeElement;
      this.#body.replaceChildren(...elements);
      if (focused instanceof HTMLElement && this.#body.contains(focused)) focused.focus({ preventScroll: true });
    }
    const left = this.#shown.length - shown.length;
    this.#more.hidden = left === 0;
    setText(
      this.#note,
      this.#shown.length === 0
        ? l10n.t('No tensor has a name with this text.')
        : left > 0
          ? l10n.t('{0} of {1} tensors are shown.', formatCount(shown.length), formatCount(this.#shown.length))
          : '',
    );
  }

  #row(known: KnownTensor): Row {
    const row = this.#rows.get(known.index) ?? this.#create(known);
    if (row.known === known) return row;
    row.known = known;
    columns.slice(1).forEach((column, i) => setText(row.cells[i], column.text(known)));
    row.element.classList.toggle('is-problem', known.problem !== undefined);
    return row;
  }

  #create(known: KnownTensor): Row {
    const { index, tensor } = known;
    const name = element('button', { type: 'button', class: 'link-button', title: tensor.name }, tensor.name);
    const cells = columns
      .slice(1)
      .map(({ key, numeric, text }) => element('td', { class: `col-${key}${numeric ? ' numeric' : ''}` }, text(known)));
    const made = element('tr', {}, element('th', { scope: 'row', class: 'col-name' }, name), ...cells);
    made.classList.toggle('is-problem', known.problem !== undefined);
    made.addEventListener('click', () => this.#actions.select(index));
    const row = { element: made, name, cells, known };
    this.#rows.set(index, row);
    this.#observer.observe(made);
    return row;
  }
}
