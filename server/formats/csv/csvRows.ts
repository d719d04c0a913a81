/** @file A small CSV file, all its rows at once. */
import { parse } from 'csv-parse/sync';
import { decodeText } from '../text.ts';
import { csvInWords, MOST_ROW_CHARACTERS, ragged } from './csvErrors.ts';
import { csvForm, csvOptions } from './csvForm.ts';

export interface CsvRow {
  /** The line that it ends at, from 1. */
  readonly line: number;
  /** As many as there are columns. */
  readonly values: readonly string[];
}

/**
 * @param bytes of a file whose first row has the names of the columns
 * @throws FormatError when it is no such file
 */
export function csvRows(bytes: Uint8Array): { readonly names: readonly string[]; readonly rows: readonly CsvRow[] } {
  const text = decodeText(bytes);
  const { names, delimiter } = csvForm(text, true, { header: true });
  const rows: CsvRow[] = [];
  try {
    parse(text, {
      ...csvOptions,
      delimiter,
      from: 2,
      max_record_size: MOST_ROW_CHARACTERS,
      on_record(values: string[], { lines }) {
        if (values.length !== names.length) throw ragged(lines, values.length, names.length);
        rows.push({ line: lines, values });
        return null;
      },
    });
  } catch (error) {
    throw csvInWords(error);
  }
  return { names, rows };
}
