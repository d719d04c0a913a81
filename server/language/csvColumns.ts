/** @file Names of the columns of a CSV file, read from its first lines. */
import { csvForm, HEAD_BYTES, type CsvSettings } from '../formats/csv/csvForm.ts';
import { readBeginningSync } from '../runs/workspaceFile.ts';

/** Empty for what is no CSV file, or cannot be read. */
export function csvColumns(path: string, settings: CsvSettings): readonly string[] {
  try {
    const text = readBeginningSync(path, HEAD_BYTES);
    const isWhole = Buffer.byteLength(text) < HEAD_BYTES;
    const lines = isWhole ? text : text.slice(0, text.lastIndexOf('\n') + 1);
    // Neither is in a text in UTF-8: the second one stands for bytes that are none.
    return lines.includes('\0') || lines.includes('\uFFFD') ? [] : csvForm(lines, isWhole, settings).names;
  } catch {
    return [];
  }
}
