/** @file How important each setting of a sweep is: a bar a setting, in a table. */
import * as l10n from '@vscode/l10n';
import { formatPercent } from '../../server/protocol/formatQuantity.ts';
import { element } from '../element.ts';
import type { Column } from './model/columns.ts';
import type { Importance } from './model/importance.ts';

export interface ImportanceList {
  readonly element: HTMLElement;
  update(importance: readonly Importance[], metric: Column | undefined): void;
}

export function createImportanceList(): ImportanceList {
  const body = element('tbody');
  const note = element('p', { class: 'chart-note' });
  const title = l10n.t('Importance of settings');
  const table = element(
    'table',
    { class: 'data-table importance-table' },
    element('caption', { class: 'visually-hidden' }, title),
    element(
      'thead',
      { class: 'visually-hidden' },
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, l10n.t('Setting')),
        element('th', { scope: 'col' }, l10n.t('Share')),
        element('th', { scope: 'col' }, l10n.t('Trend')),
      ),
    ),
    body,
  );
  let drawn = '';
  return {
    element: element(
      'section',
      { class: 'chart importance', 'aria-label': title },
      element('header', { class: 'chart-head' }, element('h3', { class: 'chart-title' }, title)),
      table,
      note,
    ),
    update(importance, metric) {
      const key = JSON.stringify([
        importance.map(({ column: { id }, share, trend }) => [id, share, trend]),
        metric?.title,
      ]);
      if (key === drawn) return;
      drawn = key;
      body.replaceChildren(...importance.map(rowOf));
      const isKnown = importance.some(({ share }) => share !== undefined);
      table.hidden = !isKnown;
      note.textContent = isKnown
        ? l10n.t(
            'Share of the variance of ranks of {0} that each setting explains by itself (Kruskal-Wallis, epsilon squared); effects of several settings together are not included.',
            metric?.title ?? '',
          )
        : l10n.t('This needs several finished runs with the same value of a setting.');
    },
  };
}

function rowOf({ column, share, trend }: Importance): HTMLElement {
  const bar = element('div', { class: 'importance-bar', 'aria-hidden': 'true' });
  bar.style.width = `${100 * (share ?? 0)}%`;
  return element(
    'tr',
    {},
    element('th', { scope: 'row', title: column.fullName }, column.title),
    element('td', { class: 'importance-share' }, bar, share === undefined ? '–' : formatPercent(share)),
    element('td', { class: 'muted' }, trendText(trend)),
  );
}

/** Weak trends are not told. */
function trendText(trend: number | undefined): string {
  if (trend === undefined || Math.abs(trend) < 0.3) return '';
  return trend > 0 ? l10n.t('higher is better') : l10n.t('lower is better');
}
