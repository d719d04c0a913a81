/** @file A file that is a table: its columns are known when it is opened, its values when it is read. */
import type { ColumnOptions, ColumnReader } from './columnReader.ts';

export interface TableFile {
  /** Absolute. */
  readonly path: string;
  /** What messages count: lines of a CSV file, rows of another one. */
  readonly unit: ColumnOptions['unit'];
  readonly names: readonly string[];
  /** Columns that are texts by the file's own words. */
  readonly texts: ReadonlySet<string>;
  /**
   * Gives the columns their values, in the order of the rows.
   * @param onRows told of the rows that are read so far
   * @returns the number of rows
   * @throws FormatError or UserError when the file is damaged, or a value cannot be one of its column
   */
  read(
    columns: readonly ColumnReader[],
    onRows: (rows: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<number>;
}
