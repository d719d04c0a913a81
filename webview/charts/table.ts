/** @file A chart as a table, a page of rows at a time. */
import * as l10n from '@vscode/l10n';
import { iconButton } from '../controls/controls.ts';
import { element } from '../element.ts';
import { formatChartNumber } from '../../server/protocol/formatQuantity.ts';
import type { Rows } from './export.ts';

const ROWS_PER_PAGE = 50;

export interface ChartTable {
  readonly element: HTMLElement;
  update(rows: Rows): void;
}

export function createTable(caption: string): ChartTable {
  const head = element('thead');
  const body = element('tbody');
  const note = element('span', { class: 'table-note', 'aria-live': 'polite' });
  let first = 0;
  let shown: Rows | undefined;
  const turn = (pages: number): void => {
    first += pages * ROWS_PER_PAGE;
    if (shown) draw(shown);
  };
  const previous = iconButton('previous', l10n.t('Previous rows'), () => turn(-1));
  const next = iconButton('next', l10n.t('Next rows'), () => turn(1));

  function draw(rows: Rows): void {
    first = Math.max(0, Math.min(first, Math.floor((rows.length - 1) / ROWS_PER_PAGE) * ROWS_PER_PAGE));
    const end = Math.min(first + ROWS_PER_PAGE, rows.length);
    head.replaceChildren(element('tr', {}, ...rows.header.map((name) => element('th', { scope: 'col' }, name))));
    body.replaceChildren(
      ...Array.from({ length: end - first }, (_, i) =>
        element(
          'tr',
          {},
          ...rows
            .row(first + i)
            .map((cell) => element('td', {}, typeof cell === 'number' ? formatChartNumber(cell) : cell)),
        ),
      ),
    );
    note.textContent = l10n.t('Rows {0}–{1} of {2}', ...[end && first + 1, end, rows.length].map(formatChartNumber));
    previous.disabled = first === 0;
    next.disabled = end >= rows.length;
  }

  return {
    element: element(
      'div',
      { class: 'chart-table' },
      element(
        'div',
        { class: 'chart-table-scroll', tabindex: 0, role: 'region', 'aria-label': l10n.t('{0} as a table', caption) },
        element('table', {}, element('caption', { class: 'visually-hidden' }, caption), head, body),
      ),
      element('div', { class: 'chart-table-foot' }, previous, next, note),
    ),
    update(rows) {
      shown = rows;
      draw(rows);
    },
  };
}
