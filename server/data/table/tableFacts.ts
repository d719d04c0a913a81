/** @file What the rows that are trained on say of the columns: kept beside the model, and done to every row that it is given. */
import type { ColumnFacts, NumberFacts, TargetFacts } from '../dataset.ts';
import type { CategoryColumn, NumberColumn, TableColumn, TableConfig } from './columnReader.ts';
import { sortedLabels } from './sortedLabels.ts';

/** The name of the category of missing values. A text that is empty is a missing value, and no category. */
export const MISSING = '';

type Settings = Pick<TableConfig, 'categories' | 'missing' | 'standardize' | 'task'>;

/** @param rows that are trained on */
export function columnFacts(column: TableColumn, rows: Uint32Array, settings: Settings): ColumnFacts {
  const { name } = column;
  if (column.kind === 'category') {
    const categories = sortedTexts(column, rows);
    if (rows.some((row) => column.codes[row] < 0)) categories.push(MISSING);
    return { name, kind: 'category', encoding: settings.categories, categories };
  }
  const { numbers } = settings.missing;
  const known = rows.filter((row) => !Number.isNaN(column.values[row]));
  return {
    name,
    ...standardization(column, known, settings.standardize !== 'none'),
    ...(numbers !== 'error' && { missing: (numbers === 'mean' ? meanOf : medianOf)(column, known) }),
  };
}

/** @param rows that are trained on */
export function targetFacts(column: TableColumn, rows: Uint32Array, { standardize }: Settings): TargetFacts {
  const { name } = column;
  return column.kind === 'category'
    ? { name, kind: 'classes', classes: sortedTexts(column, rows) }
    : { name, ...standardization(column, rows, standardize === 'all') };
}

/** @param rows that have a value */
function standardization(
  column: NumberColumn,
  rows: Uint32Array,
  isWanted: boolean,
): Pick<NumberFacts, 'kind' | 'mean' | 'deviation'> {
  if (!isWanted) return { kind: 'number', mean: 0, deviation: 1 };
  const mean = meanOf(column, rows);
  const variance = meanOf(column, rows, (value) => (value - mean) ** 2);
  // A column that never changes has the deviation 1.
  return { kind: 'number', mean, deviation: Math.sqrt(variance) || 1 };
}

/**
 * 0 where there are no rows: a column may have values in other rows alone. A sum is rounded, so the mean is held between the least and
 * the greatest: that of equal numbers is exactly their value, and their deviation 0.
 */
function meanOf({ values }: NumberColumn, rows: Uint32Array, term = (value: number) => value): number {
  if (rows.length === 0) return 0;
  let [sum, least, greatest] = [0, Infinity, -Infinity];
  for (const row of rows) {
    const value = term(values[row]);
    sum += value;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  return Math.min(Math.max(sum / rows.length, least), greatest);
}

function medianOf({ values }: NumberColumn, rows: Uint32Array): number {
  if (rows.length === 0) return 0;
  const sorted = Float64Array.from(rows, (row) => values[row]).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function sortedTexts({ codes, texts }: CategoryColumn, rows: Uint32Array): string[] {
  const used = new Set<number>();
  for (const row of rows) if (codes[row] >= 0) used.add(codes[row]);
  return sortedLabels(Array.from(used, (code) => texts[code]));
}
