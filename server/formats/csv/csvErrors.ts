/** @file What is wrong with a CSV file, in words, with the line. */
import { CsvError } from 'csv-parse';
import { FormatError } from '../formatError.ts';

/** Characters of a row at most: more of them come of a quote that is not closed. */
export const MOST_ROW_CHARACTERS = 2 ** 22;

export function ragged(line: number, values: number, columns: number): FormatError {
  return new FormatError(`line ${line} has ${values} values, and there are ${columns} columns`, {
    remedy: 'Write a value for each column, in quotes where it has the delimiter in it; or name the right delimiter.',
  });
}

/** An error of csv-parse as one of the file; any other error as it is. */
export function csvInWords(error: unknown): unknown {
  if (!(error instanceof CsvError)) return error;
  const { lines } = error as CsvError & { lines?: number };
  const where = `line ${lines ?? 0}`;
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return new FormatError('a quote is opened and not closed', { remedy: 'Close it, or double it: "".' });
    case 'CSV_MAX_RECORD_SIZE':
      return new FormatError(`the row that ends near ${where} has more than ${MOST_ROW_CHARACTERS} characters`, {
        remedy: 'A quote before it may not be closed.',
      });
    case 'CSV_INVALID_CLOSING_QUOTE':
    case 'CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE':
    case 'INVALID_OPENING_QUOTE':
      return new FormatError(`${where} has a quote within a value`, {
        remedy: 'Put the whole value in quotes, and double those in it: "a ""word"" in quotes".',
      });
    default:
      return new FormatError(`${where} is no row of a CSV file: ${error.message}`);
  }
}
