/** @file How a CSV file is written, by its first lines: what separates its values, and the names of its columns. */
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { FormatError } from '../formatError.ts';

export interface CsvForm {
  readonly delimiter: string;
  /** Names of the columns; none is empty, and none is there twice. */
  readonly names: readonly string[];
}

/** What the experiment says of it. */
export interface CsvSettings {
  /** Undefined where the first rows tell. */
  readonly delimiter?: string | undefined;
  /** What stands before decimals; default: the point. */
  readonly decimal?: '.' | ',' | undefined;
  /** False where the first row has values. */
  readonly header: boolean;
}

/** Bytes at the beginning of a file that tell. */
export const HEAD_BYTES = 2 ** 18;

/** Rows that are looked at. */
const ROWS = 20;
const DELIMITERS = [',', ';', '\t', '|'];

/** How csv-parse reads: rows of any length, white space around values and empty lines left out. */
export const csvOptions = { bom: true, trim: true, skip_empty_lines: true, relax_column_count: true } as const;

/**
 * The delimiter is that which divides the first rows into equally many values, or at least the first one into most. A comma before
 * decimals is none, unless it is given.
 * @param head the first {@link HEAD_BYTES} of the file, as text
 * @param isWhole true where the file has no more
 * @throws FormatError for a file without rows, and for one whose columns have the same name
 */
export function csvForm(head: string, isWhole: boolean, { delimiter, decimal, header }: CsvSettings): CsvForm {
  const text = isWhole ? head : wholeLines(head);
  if (text === '' && !isWhole) throw new FormatError(`its first line has more than ${HEAD_BYTES} bytes`);
  const candidates = delimiter === undefined ? DELIMITERS.filter((one) => one !== decimal) : [delimiter];
  const forms = candidates.map((tried) => {
    const rows = firstRows(text, tried, ROWS);
    const columns = rows.at(0)?.length ?? 0;
    return { delimiter: tried, rows, columns, isEven: rows.every(({ length }) => length === columns) };
  });
  const even = forms.filter(({ isEven, columns }) => isEven && columns > 1);
  const [best] = (even.length > 0 ? even : forms).sort((a, b) => b.columns - a.columns);
  if (best.columns === 0) throw new FormatError('it has no rows');
  const names = best.rows[0].map((name, index) => (header && name !== '' ? name : `column${index + 1}`));
  names.forEach((name, index) => {
    const first = names.indexOf(name);
    if (first < index)
      throw new FormatError(`its columns ${first + 1} and ${index + 1} have the same name, '${name}'`, {
        remedy:
          'Rename one of them in its first line. Where the first line has values and no names, set data.header to false.',
      });
  });
  return { delimiter: best.delimiter, names };
}

/** A text without its last line, which may be cut. */
export function wholeLines(head: string): string {
  return head.slice(0, Math.max(head.lastIndexOf('\n'), head.lastIndexOf('\r')) + 1);
}

/**
 * Those before one that is written wrong, that of the names among them.
 * @param most rows; all of them where it is not given
 */
export function firstRows(text: string, delimiter: string, most = -1): string[][] {
  const rows: string[][] = [];
  try {
    parse(text, {
      ...csvOptions,
      delimiter,
      to: most,
      on_record: (row: string[]) => {
        rows.push(row);
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
  }
  return rows;
}
