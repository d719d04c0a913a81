/** @file A table with a column per run. */
import { element } from '../../element.ts';
import type { ShownRun } from '../../state.ts';
import { readTheme, seriesColor } from '../../charts/theme.ts';

export interface ComparisonCell {
  /** Undefined: there is none. */
  readonly text: string | undefined;
  /** Words that make more of the value, such as `best`. */
  readonly tag?: string;
  /** Set off from the others. */
  readonly strong?: boolean;
}

export interface ComparisonRow {
  readonly name: string;
  readonly cells: readonly ComparisonCell[];
}

/** What a column is of: a run, or several that differ in their seed alone. */
export type ComparisonColumn = Pick<ShownRun, 'label' | 'color'>;

export interface ComparisonTable {
  readonly element: HTMLElement;
  update(runs: readonly ComparisonColumn[], rows: readonly ComparisonRow[]): void;
}

/** @param empty said in place of a table without rows */
export function createComparisonTable(title: string, rowTitle: string, empty: string): ComparisonTable {
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
  const nothing = element('p', { class: 'view-note' }, empty);
  let drawn = '';
  return {
    element: element(
      'section',
      { class: 'comparison' },
      element('h3', { class: 'section-title' }, title),
      scroll,
      nothing,
    ),
    update(runs, rows) {
      const theme = readTheme();
      const key = JSON.stringify([theme.kind, runs.map(({ label, color }) => [label, color]), rows]);
      if (key === drawn) return;
      drawn = key;
      scroll.hidden = rows.length === 0;
      nothing.hidden = rows.length > 0;
      head.replaceChildren(
        element('th', { scope: 'col' }, rowTitle),
        ...runs.map(({ label, color }) => {
          const dot = element('span', { class: 'run-dot', 'aria-hidden': 'true' });
          dot.style.background = seriesColor(theme, color);
          return element('th', { scope: 'col', title: label }, element('span', { class: 'run-head' }, dot, label));
        }),
      );
      body.replaceChildren(
        ...rows.map(({ name, cells }) =>
          element('tr', {}, element('th', { scope: 'row' }, ...breakable(name)), ...cells.map(cellElement)),
        ),
      );
    },
  };
}

/** A long path may be broken behind its dots. */
function breakable(path: string): Node[] {
  return path.split(/(?<=\.)/).flatMap((part) => [document.createTextNode(part), document.createElement('wbr')]);
}

function cellElement({ text, tag, strong }: ComparisonCell): HTMLElement {
  if (text === undefined) return element('td', { class: 'muted' }, '–');
  return element(
    'td',
    { class: strong ? 'is-strong' : undefined },
    text,
    tag === undefined ? undefined : element('span', { class: 'tag' }, tag),
  );
}
