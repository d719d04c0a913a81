/** @file From the values of columns to rows of batches, by what is known of the columns. */
import type { ColumnFacts, Elements } from '../dataset.ts';
import type { CategoryColumn, NumberColumn, TableColumn } from './columnReader.ts';
import { MISSING } from './tableFacts.ts';

/** A column as inputs of a model. */
export interface EncodedColumn {
  /** Inputs that it makes. */
  readonly width: number;
  /** Writes the inputs of a row to their places, which hold 0. */
  write(row: number, to: Elements, at: number): void;
}

/** Inputs that a column makes. */
function widthOf(facts: ColumnFacts): number {
  return facts.kind === 'category' && facts.encoding === 'one-hot' ? facts.categories.length : 1;
}

/** @param column of the kind that `facts` say */
export function encoded(column: TableColumn, facts: ColumnFacts): EncodedColumn {
  const width = widthOf(facts);
  if (column.kind === 'number' && facts.kind === 'number') {
    const values = standardized(column, facts);
    return { width, write: (row, to, at) => void (to[at] = values[row]) };
  }
  if (column.kind !== 'category' || facts.kind !== 'category')
    throw new TypeError(`Column '${column.name}' is a ${column.kind}, and known as a ${facts.kind}.`);
  const numbers = categoryNumbers(column, facts.categories);
  if (facts.encoding === 'integer') return { width, write: (row, to, at) => void (to[at] = numbers[row]) };
  return {
    width,
    write(row, to, at) {
      if (numbers[row] < width) to[at + numbers[row]] = 1;
    },
  };
}

export function standardized(
  { values }: NumberColumn,
  { mean, deviation, missing = NaN }: { mean: number; deviation: number; missing?: number },
): Float32Array {
  return Float32Array.from(values, (value) => ((Number.isNaN(value) ? missing : value) - mean) / deviation);
}

/** By row, the index of its category; their number where it is none of them. */
export function categoryNumbers({ codes, texts }: CategoryColumn, categories: readonly string[]): Int32Array {
  const indices = new Map(categories.map((text, index) => [text, index]));
  const byCode = Int32Array.from(texts, (text) => indices.get(text) ?? categories.length);
  const missing = indices.get(MISSING) ?? categories.length;
  return Int32Array.from(codes, (code) => (code < 0 ? missing : byCode[code]));
}
