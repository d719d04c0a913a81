/** @file The rows of a sweep's table in their order. Pure. */
import type { Column } from './columns.ts';
import { itemsOf, type SweepItem } from './items.ts';

export interface RowOrder {
  /** Id of a column; undefined: as the items come, the best first. */
  readonly column?: string | undefined;
  readonly descending: boolean;
}

export interface OrderedRow {
  readonly item: SweepItem;
  /** Undefined for a row of its own; else the id of the one that it belongs to. */
  readonly within?: string | undefined;
}

/**
 * Pinned rows first; those without a value in the column last. Below a row that is expanded, a row for each of its runs.
 * @param items the best first
 */
export function orderedRows(
  items: readonly SweepItem[],
  columns: readonly Column[],
  { column: id, descending }: RowOrder,
  expanded: ReadonlySet<string>,
): OrderedRow[] {
  const column = columns.find((one) => one.id === id);
  const sorted = column ? sortedBy(items, column, descending) : items;
  const pinned = sorted.filter(({ isPinned }) => isPinned);
  const ordered = [...pinned, ...sorted.filter(({ isPinned }) => !isPinned)];
  return ordered.flatMap((item) => [
    { item },
    ...(expanded.has(item.id) && item.runs.length > 1
      ? itemsOf(item.runs, false)
          .items.toSorted((a, b) => a.runs[0].line - b.runs[0].line)
          .map((run) => ({ item: { ...run, id: `${item.id}/${run.id}` }, within: item.id }))
      : []),
  ]);
}

function sortedBy(items: readonly SweepItem[], column: Column, descending: boolean): SweepItem[] {
  const keyed = items.map((item) => ({ item, value: column.value(item) }));
  const isMissing = (value: number | string | undefined) => value === undefined || Number.isNaN(value);
  keyed.sort((a, b) => {
    if (isMissing(a.value) || isMissing(b.value)) return Number(isMissing(a.value)) - Number(isMissing(b.value));
    const order =
      typeof a.value === 'number' && typeof b.value === 'number'
        ? a.value - b.value
        : String(a.value).localeCompare(String(b.value), undefined, { numeric: true });
    return descending ? -order : order;
  });
  return keyed.map(({ item }) => item);
}
