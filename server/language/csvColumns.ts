/** @file Names of the columns of a CSV file, read from its first lines. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { csvForm, HEAD_BYTES, type CsvSettings } from '../formats/csv/csvForm.ts';
import { notUtf8 } from '../formats/text.ts';

/** Empty for what is no CSV file, or cannot be read. */
export function csvColumns(path: string, settings: CsvSettings): readonly string[] {
  let file: number | undefined;
  try {
    // Before it is opened: to open a pipe waits for whoever writes it.
    const status = statSync(path);
    if (!status.isFile()) return [];
    const { size } = status;
    file = openSync(path, 'r');
    const buffer = Buffer.alloc(Math.min(size, HEAD_BYTES));
    const bytes = buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0));
    const isWhole = size <= bytes.length;
    const lines = isWhole ? bytes : bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
    return notUtf8(lines) === undefined ? csvForm(lines.toString(), isWhole, settings).names : [];
  } catch {
    return [];
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
