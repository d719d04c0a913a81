/** @file Names of the columns of CSV files, read from their first lines. */
import { statSync } from 'node:fs';
import { csvForm, HEAD_BYTES, wholeLines, type CsvSettings } from '../formats/csv/csvForm.ts';
import { readBeginningSync } from '../runs/workspaceFile.ts';

/** Names that are asked for again and again: a file is read anew when it has changed, for lines of thousands of columns take long. */
export class CsvColumns {
  readonly #known = new Map<string, { readonly state: string; readonly names: readonly string[] }>();

  /** Empty for what is no CSV file, or cannot be read. */
  of(path: string, settings: CsvSettings): readonly string[] {
    try {
      const { mtimeMs, size, ino } = statSync(path);
      const state = JSON.stringify([mtimeMs, size, ino, settings]);
      const known = this.#known.get(path);
      if (known?.state === state) return known.names;
      const names = readNames(path, settings);
      this.#known.set(path, { state, names });
      return names;
    } catch {
      return [];
    }
  }
}

/** @throws an error for what is no CSV file, or cannot be read */
function readNames(path: string, settings: CsvSettings): readonly string[] {
  const text = readBeginningSync(path, HEAD_BYTES);
  const isWhole = Buffer.byteLength(text) < HEAD_BYTES;
  const lines = isWhole ? text : wholeLines(text);
  // Neither is in a text in UTF-8: the second one stands for bytes that are none.
  return lines.includes('\0') || lines.includes('\uFFFD') ? [] : csvForm(lines, isWhole, settings).names;
}
