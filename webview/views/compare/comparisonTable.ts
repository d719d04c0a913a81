/** @file The table of the Compare view: a row for each run, which is also the legend of the charts. */
import * as l10n from '@vscode/l10n';
import { breakable, element } from '../../element.ts';
import { readTheme, seriesColor } from '../../charts/theme.ts';
import type { ChartTheme } from '../../charts/theme.ts';
import { orderedRows } from './comparison.ts';
import type { Comparison, ComparisonCell, ComparisonColumn, ComparisonOrder, ComparisonRow } from './comparison.ts';

export interface ComparisonTable {
  readonly element: HTMLElement;
  /** @param hidden keys of the rows that no chart draws */
  update(comparison: Comparison, order: ComparisonOrder, hidden: ReadonlySet<string>): void;
}

export interface ComparisonActions {
  sort(order: ComparisonOrder): void;
  /** Shows or hides a row in the charts. */
  show(key: string, isShown: boolean): void;
  /** Gives a row another colour. */
  recolor(key: string): void;
}

const RUN: ComparisonColumn = { id: 'run', title: l10n.t('Run'), isResult: false };

export function createComparisonTable(actions: ComparisonActions): ComparisonTable {
  const title = l10n.t('Runs that are compared');
  const head = element('tr');
  const body = element('tbody');
  const table = element(
    'table',
    { class: 'data-table comparison-table' },
    element('caption', { class: 'visually-hidden' }, title),
    element('thead', {}, head),
    body,
  );
  const scroll = element('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': title }, table);
  let drawn = '';

  function heading(column: ComparisonColumn, { column: sorted, descending }: ComparisonOrder): HTMLElement {
    const { id, isResult, fullTitle } = column;
    const isSorted = sorted === id;
    const button = element(
      'button',
      { type: 'button', class: 'sort-button', title: fullTitle, 'data-focus': `sort ${id}` },
      ...breakable(column.title),
    );
    button.addEventListener('click', () => {
      // Down first for results; a third click goes back to the order in which the runs were chosen.
      if (!isSorted) actions.sort({ column: id, descending: isResult });
      else actions.sort(descending === isResult ? { column: id, descending: !isResult } : { descending: false });
    });
    return element(
      'th',
      { scope: 'col', 'aria-sort': isSorted ? (descending ? 'descending' : 'ascending') : undefined },
      button,
    );
  }

  function bodyRow(row: ComparisonRow, columns: readonly ComparisonColumn[], isHidden: boolean, theme: ChartTheme) {
    const { key, label, color, cells } = row;
    const box = element('input', {
      type: 'checkbox',
      'aria-label': l10n.t('Draw {0}', label),
      'data-focus': `show ${key}`,
    });
    box.checked = !isHidden;
    box.addEventListener('change', () => actions.show(key, box.checked));
    const dot = element('button', {
      type: 'button',
      class: 'run-dot',
      title: l10n.t('Another colour'),
      'aria-label': l10n.t('Another colour for {0}', label),
      'data-focus': `color ${key}`,
    });
    dot.style.background = seriesColor(theme, color);
    dot.addEventListener('click', () => actions.recolor(key));
    return element(
      'tr',
      { class: isHidden ? 'is-plain' : undefined },
      element(
        'th',
        { scope: 'row', title: label },
        element('span', { class: 'run-head' }, box, dot, element('span', {}, label)),
      ),
      ...columns.map(({ id }) => cellElement(cells.get(id))),
    );
  }

  return {
    element: element('section', { class: 'comparison is-wide' }, scroll),
    update({ columns, rows }, order, hidden) {
      const theme = readTheme();
      const plain = rows.map(({ cells, ...rest }) => ({ ...rest, cells: [...cells] }));
      const key = JSON.stringify([theme.kind, columns, plain, order, [...hidden]]);
      if (key === drawn) return;
      drawn = key;
      const focused = (document.activeElement as HTMLElement | null)?.dataset.focus;
      head.replaceChildren(...[RUN, ...columns].map((column) => heading(column, order)));
      body.replaceChildren(...orderedRows(rows, order).map((row) => bodyRow(row, columns, hidden.has(row.key), theme)));
      if (focused !== undefined) table.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    },
  };
}

function cellElement(cell: ComparisonCell | undefined): HTMLElement {
  if (cell === undefined) return element('td', { class: 'muted' }, '–');
  const { text, tag, strong } = cell;
  return element(
    'td',
    { class: strong ? 'is-strong' : undefined },
    text,
    tag === undefined ? undefined : element('span', { class: 'tag' }, tag),
  );
}
