/** @file CSV files as tables: read row by row, however large they are. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { FormatError } from '../../formats/formatError.ts';
import { ENCODING_REMEDY, notUtf8 } from '../../formats/text.ts';
import type { ColumnReader, TableConfig } from './columnReader.ts';
import { csvInWords, MOST_ROW_CHARACTERS, ragged } from '../../formats/csv/csvErrors.ts';
import { csvForm, csvOptions, HEAD_BYTES, type CsvForm } from '../../formats/csv/csvForm.ts';
import type { TableFile } from './tableFile.ts';

type Settings = Pick<TableConfig, 'delimiter' | 'decimal' | 'header' | 'missing'>;

/**
 * @param head the first {@link HEAD_BYTES}, or all of it
 * @throws FormatError when it is no text, or has no columns
 */
export function openCsv(path: string, head: Uint8Array, settings: Settings): TableFile {
  const isWhole = head.length < HEAD_BYTES;
  const text = isWhole ? head : head.subarray(0, completeBytes(head));
  checkUtf8(text, 0);
  const form = csvForm(new TextDecoder().decode(text), isWhole, settings);
  return {
    path,
    unit: 'line',
    names: form.names,
    texts: new Set(),
    read: (columns, onRows, signal) => readRows(path, form, settings, columns, onRows, signal),
  };
}

async function readRows(
  path: string,
  { delimiter, names }: CsvForm,
  { header, missing }: Settings,
  columns: readonly ColumnReader[],
  onRows: (rows: number) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  const none = new Set(missing.values);
  const read = columns.map((column) => ({ column, index: names.indexOf(column.name) }));
  let isHeader = header;
  let rows = 0;
  const parser = parse({
    ...csvOptions,
    delimiter,
    max_record_size: MOST_ROW_CHARACTERS,
    on_record(row: string[], { lines }) {
      if (isHeader) {
        isHeader = false;
        return null;
      }
      if (row.length !== names.length) throw ragged(lines, row.length, names.length);
      for (const { column, index } of read) {
        const value = row[index];
        column.add(none.has(value) ? undefined : value, lines);
      }
      onRows(++rows);
      return null;
    },
  });
  parser.resume();
  try {
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 18 }), checkedText, parser, { signal });
  } catch (error) {
    throw csvInWords(error);
  }
  return rows;
}

/** Pieces that end between characters, as they are. */
async function* checkedText(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begin = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const complete = bytes.subarray(0, completeBytes(bytes));
    checkUtf8(complete, begin);
    begin += complete.length;
    rest = bytes.subarray(complete.length);
    yield complete;
  }
  checkUtf8(rest, begin);
}

/** @param begin number of the first byte in the file */
function checkUtf8(bytes: Uint8Array, begin: number): void {
  const problem = notUtf8(bytes, begin);
  if (problem !== undefined) throw new FormatError(`it ${problem}`, { remedy: ENCODING_REMEDY });
}

/** Bytes without those of a character at the end that others belong to, which are at most three. */
function completeBytes(bytes: Uint8Array): number {
  for (let before = 1; before <= Math.min(3, bytes.length); before++) {
    const byte = bytes[bytes.length - before];
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return wanted > before ? bytes.length - before : bytes.length;
    }
  }
  return bytes.length;
}
