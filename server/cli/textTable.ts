/** @file Tables and small charts of text. */
import { printableLine } from '../protocol/printable.ts';

const GAP = 2;
/** No column is cut to fewer characters than this. */
const NARROWEST = 8;
const BLOCKS = '▁▂▃▄▅▆▇█';

export interface TextTable {
  header: readonly string[];
  rows: readonly (readonly string[])[];
  /** Columns of numbers, which stand to the right. */
  right?: ReadonlySet<number>;
}

/** The lines of a table; the widest columns are cut until it is at most `columns` characters wide. */
export function textTable({ header, rows: cells, right = new Set() }: TextTable, columns: number): string[] {
  const rows = cells.map((row) => row.map((cell) => printableLine(cell)));
  const widths = header.map((title, i) => greatest([title.length, ...rows.map((row) => row[i].length)]));
  const total = () => widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));
  while (total() > columns && Math.max(...widths) > NARROWEST) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = Math.max(NARROWEST, widths[widest] - (total() - columns));
  }
  return [header, ...rows].map((row) =>
    row
      .map((cell, i) => {
        const text = truncate(cell, widths[i]);
        return right.has(i) ? text.padStart(widths[i]) : text.padEnd(widths[i]);
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

/** The least of the values; Infinity where there are none. There may be more of them than a call has arguments. */
export function least(values: readonly number[]): number {
  return values.reduce((lowest, value) => Math.min(lowest, value), Infinity);
}

/** The greatest of the values, -Infinity where there are none. */
export function greatest(values: readonly number[]): number {
  return values.reduce((highest, value) => Math.max(highest, value), -Infinity);
}

/** `text`, or as much of it as fits before an ellipsis. */
export function truncate(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

/**
 * A row of at most `columns` bars, from the lowest value to the highest; where there are more values, a bar is the mean of
 * its share of them. A bar without a finite value is blank.
 */
export function sparkline(values: readonly number[], columns: number): string {
  const count = Math.min(values.length, columns);
  const means = Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * values.length) / count);
    const share = values.slice(start, Math.floor(((i + 1) * values.length) / count)).filter(Number.isFinite);
    return share.reduce((sum, value) => sum + value, 0) / share.length;
  });
  const finite = means.filter(Number.isFinite);
  const lowest = Math.min(...finite);
  const range = Math.max(...finite) - lowest;
  return means
    .map((mean) => {
      if (!Number.isFinite(mean)) return ' ';
      const height = range === 0 ? 0.5 : (mean - lowest) / range;
      return BLOCKS[Math.min(BLOCKS.length - 1, Math.floor(height * BLOCKS.length))];
    })
    .join('');
}
