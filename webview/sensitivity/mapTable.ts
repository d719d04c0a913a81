/** @file The map of layers by settings: a table whose cells have the colour of what they cost, and are read with the mouse, keys or a screen reader. */
import * as l10n from '@vscode/l10n';
import { formatBytes, formatDrop, formatNumber, formatRatio } from '../../server/protocol/formatQuantity.ts';
import { formatMetric } from '../../server/protocol/run/resultText.ts';
import { element, setText } from '../element.ts';
import { bareSetting, describeSetting } from '../views/setting.ts';
import type { HeatMap, MapCell, MapColumn, MapRow } from './model/heatMap.ts';

export interface MapTable {
  readonly element: HTMLElement;
  update(map: HeatMap, metric: string): void;
}

export function createMapTable(): MapTable {
  const head = element('tr');
  const body = element('tbody');
  const readout = element('p', { class: 'map-readout muted', 'aria-hidden': 'true' });
  const title = l10n.t('What compressing each layer alone costs');
  const table = element(
    'table',
    { class: 'map-table', role: 'grid', 'aria-label': title },
    element('thead', {}, head),
    body,
  );
  const hint = l10n.t('Rest the mouse on a setting, or go to it with the arrow keys.');
  setText(readout, hint);
  listenToKeys(body);
  body.addEventListener('focusin', ({ target }) => tell(target));
  body.addEventListener('pointerover', ({ target }) => tell(target));
  body.addEventListener('pointerleave', () => tell(document.activeElement));

  function tell(target: unknown): void {
    const cell = target instanceof Element && body.contains(target) ? target.closest('td') : null;
    setText(readout, cell?.title ? cell.title : hint);
  }

  return {
    element: element('div', { class: 'map' }, element('div', { class: 'table-scroll' }, table), readout),
    update({ columns, rows }, metric) {
      head.replaceChildren(element('th', { scope: 'col' }, l10n.t('Layer')), ...columns.map(columnHeading));
      body.replaceChildren(...rows.map((row) => rowOf(row, columns, metric)));
      body.querySelector('td')?.setAttribute('tabindex', '0');
    },
  };
}

/** `rate 50%`; where each layer has values of its own, the greatest and the least of them: `rank 4-100`. */
export function columnText({ parameter, setting, range: [least, greatest] }: MapColumn): string {
  if (setting !== undefined) return describeSetting({ [parameter]: setting });
  const from = bareSetting({ [parameter]: least });
  return least === greatest
    ? describeSetting({ [parameter]: least })
    : describeSetting({ [parameter]: greatest }).replace(bareSetting({ [parameter]: greatest }), `${from}-${bareSetting({ [parameter]: greatest })}`); // prettier-ignore
}

function columnHeading(column: MapColumn): HTMLElement {
  return element('th', { scope: 'col' }, columnText(column));
}

function rowOf({ key, shape, bytes, cells }: MapRow, columns: readonly MapColumn[], metric: string): HTMLElement {
  const facts = `[${shape.join(', ')}], ${formatBytes(bytes)}`;
  return element(
    'tr',
    {},
    element('th', { scope: 'row', title: facts }, key, element('span', { class: 'map-bytes' }, formatBytes(bytes))),
    ...cells.map((cell, i) => (cell ? cellOf(key, cell, columns[i], metric) : element('td', { class: 'is-missing' }))),
  );
}

function cellOf(key: string, cell: MapCell, column: MapColumn, metric: string): HTMLElement {
  const { parameter, setting, drop, level, isSuggested, bytes } = cell;
  const text = drop === null ? '∞' : formatDrop(drop);
  const own = column.setting === undefined ? `${bareSetting({ [parameter]: setting })} · ` : '';
  const told = cellText(key, cell, metric);
  const size = own + formatBytes(bytes);
  return element(
    'td',
    {
      class: [level === undefined ? 'is-not-finite' : `level-${level}`, isSuggested ? 'is-suggested' : ''].join(' '),
      tabindex: -1,
      title: told,
      // A cell can be asked for by voice: its name contains its visible text in one piece.
      'aria-label': own === '' ? told : `${told}; ${text} ${size}`,
    },
    element('span', { class: 'map-drop' }, text),
    ' ',
    element('span', { class: 'map-bytes' }, size),
  );
}

/** `fc1, rate 0.9: accuracy 93.68%, drop 0.0416, 107 kB, 8.76x smaller` */
export function cellText(key: string, cell: MapCell, metric: string): string {
  const { parameter, setting, value, drop, bytes, ratio, isSuggested } = cell;
  const name = `${key}, ${describeSetting({ [parameter]: setting })}`;
  const parts = [
    value === null || drop === null
      ? l10n.t('the model is not finite')
      : l10n.t('{0}, drop {1}', `${metric} ${formatMetric(metric, value)}`, formatDrop(drop)),
    formatBytes(bytes),
    ratio > 1 ? l10n.t('{0} smaller', formatRatio(ratio)) : l10n.t('no smaller'),
    ...(isSuggested ? [l10n.t('suggested')] : []),
  ];
  return `${name}: ${parts.join(', ')}`;
}

/** What the colours mean. */
export function createMapLegend(): { element: HTMLElement; update(map: HeatMap): void } {
  const list = element('ul', { class: 'map-legend', 'aria-label': l10n.t('Colours: the drop of the metric') });
  return {
    element: list,
    update({ bounds, rows }) {
      const entry = (name: string, text: string) =>
        element('li', {}, element('span', { class: `map-swatch ${name}`, 'aria-hidden': 'true' }), text);
      const last = bounds.at(-1) ?? 0;
      const isAny = (test: (cell: MapCell) => boolean) =>
        rows.some(({ cells }) => cells.some((cell) => cell && test(cell)));
      list.replaceChildren(
        ...bounds.map((bound, i) => entry(`level-${i}`, l10n.t('drop ≤ {0}', formatNumber(bound)))),
        entry(`level-${bounds.length}`, l10n.t('drop > {0}', formatNumber(last))),
        ...(isAny(({ level }) => level === undefined) ? [entry('is-not-finite', l10n.t('not finite'))] : []),
        ...(isAny(({ isSuggested }) => isSuggested) ? [entry('is-suggested', l10n.t('suggested'))] : []),
      );
    },
  };
}

/** One cell is in the order of tabs, and arrow keys go to the others. */
function listenToKeys(body: HTMLElement): void {
  body.addEventListener('keydown', (event) => {
    const cell = document.activeElement;
    if (!(cell instanceof HTMLTableCellElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...body.querySelectorAll('tr')];
    const row = rows.findIndex((one) => one.contains(cell));
    const column = cell.cellIndex;
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 1],
      End: [row, rows[row]?.cells.length - 1],
    };
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    const [toRow, toColumn] = moves[event.key];
    const to = rows[toRow]?.cells[toColumn] as HTMLTableCellElement | undefined;
    if (!to?.hasAttribute('tabindex')) return;
    cell.setAttribute('tabindex', '-1');
    to.setAttribute('tabindex', '0');
    to.focus();
  });
}
