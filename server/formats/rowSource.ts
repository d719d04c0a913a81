/** @file Arrays of files, read by rows: what lies along the axes behind axis 0. */
import type { NumericArray } from './elements.ts';

export interface RowSource {
  /** Of all rows; axis 0 counts them. */
  readonly shape: readonly number[];
  /** Bytes of all rows in memory, as {@link rows} gives them. */
  readonly bytes: number;
  /** True where rows cannot be read one by one, or are in memory anyway: each call costs as much as all rows. */
  readonly isWhole: boolean;
  /**
   * The elements of rows `begin` to `end - 1`, row-major.
   * @throws FormatError for damaged data; UserError where the system does not give them
   */
  rows(begin: number, end: number): NumericArray;
}
