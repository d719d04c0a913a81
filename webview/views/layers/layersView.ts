/** @file The Layers view: a table of the model's weights, what is asked of each and what is left of it. */
import * as l10n from '@vscode/l10n';
import { formatBytes, formatCount, formatFixedPercent, formatRatio } from '../../../server/protocol/formatQuantity.ts';
import { parameterFacts } from '../../../server/protocol/experiment/methods/index.ts';
import type { CompressionSetting } from '../../../server/protocol/run/events.ts';
import { checkbox, iconButton } from '../../controls/controls.ts';
import { breakable, element, setText } from '../../element.ts';
import { isBoolean } from '../../messageShapes.ts';
import type { PageState } from '../../state.ts';
import { bareSetting, describeSetting } from '../setting.ts';
import type { View, ViewType } from '../view.ts';
import type { ViewContext } from '../../viewContext.ts';
import { byteRatio, layerTable, parted, sortKeys, sortRows, summed } from './layerRows.ts';
import type { LayerRow, LayerTable, SortKey, Sorting } from './layerRows.ts';

export const layersView: ViewType = { id: 'layers', title: l10n.t('Layers'), create: createLayersView };

const modelOrder: Sorting = { key: 'model', descending: false };

function isSorting(value: unknown): value is Sorting {
  if (typeof value !== 'object' || value === null) return false;
  const { key, descending } = value as Sorting;
  return sortKeys.includes(key) && typeof descending === 'boolean';
}

interface Column {
  readonly title: string;
  /** The title for a run whose weights are in a file, where that is another. */
  readonly titleWithFile?: string;
  /** The class by which the style sheet drops it where there is no room. */
  readonly name: string;
  readonly sort?: SortKey;
  readonly numeric?: boolean;
  cell(row: LayerRow): Node | string;
  total?(table: LayerTable): Node | string;
}

/** Up to so many vectors are shown among the rows; more are one row until the user wants them. */
const FEW_VECTORS = 4;

function createLayersView(context: ViewContext): View {
  const sorting = context.remember<Sorting>('sorting', modelOrder, isSorting);
  const withVectors = context.remember('vectors', false, isBoolean);
  let state: PageState | undefined;
  /** What the table shows: nothing is made anew, and no focus lost, while that stays. */
  let drawn = '';

  const columns: readonly Column[] = [
    { title: l10n.t('Weight'), name: 'name', sort: 'name', cell: nameCell, total: () => l10n.t('Total') },
    { title: l10n.t('Shape'), name: 'shape', cell: shapeCell },
    { title: l10n.t('Method'), name: 'method', cell: ({ method }) => method ?? muted('–') },
    { title: l10n.t('Setting'), name: 'setting', cell: settingCell },
    {
      title: l10n.t('Weights kept'),
      name: 'kept',
      sort: 'weightsKept',
      numeric: true,
      cell: keptCell,
      total: ({ totals }) => keptCell(totals),
    },
    {
      title: l10n.t('Bytes'),
      name: 'bytes',
      sort: 'bytes',
      numeric: true,
      cell: ({ bytes }) => formatBytes(bytes),
      total: ({ totals }) => formatBytes(totals.bytes),
    },
    {
      title: l10n.t('Would take'),
      titleWithFile: l10n.t('In the file'),
      name: 'after',
      sort: 'bytesKept',
      numeric: true,
      cell: ({ bytesKept }) => known(bytesKept, formatBytes),
      total: ({ totals, fileBytes }) => known(fileBytes ?? totals.bytesKept, formatBytes),
    },
    {
      title: l10n.t('Smaller by'),
      name: 'ratio',
      sort: 'ratio',
      numeric: true,
      cell: (row) => known(byteRatio(row), formatRatio),
      total: ({ totals, fileBytes }) =>
        known(byteRatio({ ...totals, bytesKept: fileBytes ?? totals.bytesKept }), formatRatio),
    },
    { title: l10n.t('Share'), name: 'share', sort: 'share', numeric: true, cell: shareCell },
  ];

  const head = element('tr');
  const body = element('tbody');
  // Below the titles, where it is seen however long the table is.
  const foot = element('tr', { class: 'total-row' });
  const vectors = checkbox(l10n.t('Show each bias and other vector'), withVectors.get(), (on) => {
    withVectors.set(on);
    if (state) draw(state);
  });
  const toolbar = element('div', { class: 'toolbar', hidden: true }, vectors.element);
  const note = element('p', { class: 'view-note' });
  const empty = element('p', { class: 'view-empty', hidden: true });
  const table = element(
    'table',
    { class: 'data-table layers-table' },
    element('caption', { class: 'visually-hidden' }, l10n.t('Weights of the model')),
    element('colgroup', {}, ...columns.map(({ name }) => element('col', { class: `col-${name}` }))),
    element('thead', {}, head, foot),
    body,
  );

  function sortBy(key: SortKey): void {
    const now = sorting.get();
    // Down first for numbers: the large ones matter. A third click goes back to the model's order.
    const first = key !== 'name';
    if (now.key !== key) sorting.set({ key, descending: first });
    else sorting.set(now.descending === first ? { key, descending: !first } : modelOrder);
    if (state) draw(state);
  }

  const headers = columns.map(({ title, name, sort, numeric }) => {
    const cell = element('th', { scope: 'col', class: `col-${name}${numeric ? ' numeric' : ''}` });
    if (sort === undefined) cell.append(title);
    else {
      const button = element('button', { type: 'button', class: 'sort-button' }, title);
      button.addEventListener('click', () => sortBy(sort));
      cell.append(button);
    }
    return cell;
  });
  head.append(...headers);

  function nameCell({ name, method, key }: LayerRow): Node {
    const run = state?.shown[0]?.key;
    if (method === undefined) return element('span', {}, ...breakable(name));
    const made = element(
      'button',
      { type: 'button', class: 'link-button', title: l10n.t('Show the histogram of {0}', name) },
      ...breakable(name),
    );
    made.dataset.weight = name;
    made.addEventListener('click', () => context.open({ tab: 'weights', weight: name }));
    const file = iconButton('file', l10n.t('Show {0} in the experiment file', name), () => {
      if (run !== undefined) context.send({ type: 'revealLayer', run, weight: name, compressed: true, key });
    });
    return element('span', { class: 'layer-name' }, made, file);
  }

  function draw({ shown: [run] }: PageState): void {
    const model = run?.snapshot && layerTable(run.snapshot);
    table.hidden = note.hidden = !model;
    empty.hidden = model !== undefined;
    setText(empty, model ? '' : l10n.t('The layers appear when the run has loaded its model.'));
    if (!model) return;
    const order = sorting.get();
    const { main, vectors: small } = parted(model.rows);
    const isFolded = small.length > FEW_VECTORS && !withVectors.get();
    toolbar.hidden = small.length <= FEW_VECTORS;
    const key = JSON.stringify([run?.key, model, order, isFolded]);
    if (key === drawn) return;
    drawn = key;

    const focused = (document.activeElement as HTMLElement | null)?.dataset.weight;
    headers.forEach((header, i) => {
      const active = columns[i].sort === order.key;
      const { title, titleWithFile = title } = columns[i];
      setText(header.querySelector('button') ?? header, model.fileBytes === undefined ? title : titleWithFile);
      if (active) header.setAttribute('aria-sort', order.descending ? 'descending' : 'ascending');
      else header.removeAttribute('aria-sort');
    });
    body.replaceChildren(
      ...sortRows(isFolded ? main : model.rows, order).map((row) =>
        element(
          'tr',
          { class: row.method === undefined ? 'is-plain' : undefined },
          ...columns.map((column, i) => cellOf(column, column.cell(row), i === 0)),
        ),
      ),
      ...(isFolded ? [vectorsRow(small)] : []),
    );
    foot.replaceChildren(...columns.map((column, i) => cellOf(column, column.total?.(model) ?? '', i === 0)));
    if (focused !== undefined) body.querySelector<HTMLElement>(`[data-weight="${CSS.escape(focused)}"]`)?.focus();
    setText(note, noteOf(model));
  }

  /** One row that stands for several vectors. */
  function vectorsRow(rows: readonly LayerRow[]): HTMLElement {
    const row: LayerRow = { name: l10n.t('{0} biases and other vectors', rows.length), shape: [], ...summed(rows) };
    return element(
      'tr',
      { class: 'is-plain' },
      ...columns.map((column, i) => cellOf(column, i === 0 ? row.name : column.cell(row), i === 0)),
    );
  }

  return {
    element: element('div', { class: 'layers' }, empty, toolbar, table, note),
    update(next) {
      state = next;
      draw(next);
    },
    dispose: () => undefined,
  };
}

function cellOf({ name, numeric }: Column, content: Node | string, isHeader: boolean): HTMLElement {
  const classes = `col-${name}${numeric ? ' numeric' : ''}`;
  return isHeader
    ? element('th', { scope: 'row', class: classes }, content)
    : element('td', { class: classes }, content);
}

function muted(text: string): HTMLElement {
  return element('span', { class: 'muted' }, text);
}

function known(value: number | undefined, format: (value: number) => string): Node | string {
  return value === undefined ? muted('–') : format(value);
}

/** `part of whole`, where only the part is not muted, wherever a language puts it. */
function partOf(part: string, whole: string): HTMLElement {
  const place = '\0';
  const [before, after] = l10n.t('{0} of {1}', place, whole).split(place);
  return element('span', {}, muted(before), part, muted(after));
}

/** `4,278 of 266,200` */
function keptCell({ weights, weightsKept }: Pick<LayerRow, 'weights' | 'weightsKept'>): Node | string {
  const whole = formatCount(weights);
  return weightsKept === undefined ? muted(l10n.t('{0} of {1}', '–', whole)) : partOf(formatCount(weightsKept), whole);
}

/** `784 × 300`, or `784 × 300 → 784 × 187` where units were removed. */
function shapeCell({ shape, left }: LayerRow): string {
  return [shape, ...(left ? [left] : [])].map((sizes) => sizes.join(' × ')).join(' → ');
}

/** The setting at the last distortion, and the target where that is still to be reached. */
function settingCell({ method, now, target }: LayerRow): Node | string {
  if (method === undefined) return muted('–');
  const aim = describeSetting(target ?? {});
  if (now === undefined) return muted(aim === '' ? l10n.t('no distortion yet') : l10n.t('not yet · target {0}', aim));
  const words = describeSetting(now);
  if (aim === '' || !isRising(now, target ?? {})) return words === '' ? muted('–') : words;
  return partOf(words, bareSetting(target ?? {}));
}

/** A schedule brings a fraction to its target, up to rounding; other settings are what they are. */
function isRising(now: CompressionSetting, target: CompressionSetting): boolean {
  return (
    Object.keys(target).some((name) => parameterFacts[name]?.unit === 'fraction') &&
    describeSetting(now) !== describeSetting(target)
  );
}

function shareCell({ share, name }: LayerRow): Node {
  const bar = element('span', { class: 'share-bar', 'aria-hidden': 'true' });
  const fill = element('span', { class: 'share-fill' });
  fill.style.width = `${100 * share}%`;
  bar.append(fill);
  return element('span', { class: 'share', title: name }, bar, element('span', {}, formatFixedPercent(share, 1)));
}

function noteOf({ soFar, shareOfCompressed, totals, fileBytes }: LayerTable): string {
  const share = shareOfCompressed
    ? l10n.t("Share: of the compressed model's {0}.", formatBytes(totals.bytesKept ?? totals.bytes))
    : l10n.t("Share: of the uncompressed model's {0}.", formatBytes(totals.bytes));
  const sentences = soFar
    ? [l10n.t('So far: as of the last recorded distortion.'), share]
    : [
        share,
        ...(fileBytes === undefined ? [] : [l10n.t('The size of the file counts its header as well.')]),
        l10n.t('Choose a weight to see its histogram.'),
      ];
  return sentences.join(' ');
}
