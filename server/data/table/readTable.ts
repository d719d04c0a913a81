/** @file Opens tables of any format, and reads the columns that are wanted. */
import { open } from 'node:fs/promises';
import { fileKindOf } from '../../formats/fileKind.ts';
import { FormatError } from '../../formats/formatError.ts';
import { memoryOfMachine } from '../../memory/machineMemory.ts';
import { checkUserFile, notUsable } from '../../modules/readUserFile.ts';
import { formatBytes } from '../../protocol/formatQuantity.ts';
import { UserError } from '../../protocol/userError.ts';
import {
  BYTES_PER_VALUE,
  ColumnReader,
  type ColumnOptions,
  type TableColumn,
  type TableConfig,
} from './columnReader.ts';
import { openCsv } from './csvFile.ts';
import { HEAD_BYTES } from '../../formats/csv/csvForm.ts';
import { isParquet, openParquet } from './parquetFile.ts';
import type { TableFile } from './tableFile.ts';

/** A column that is wanted. */
export type WantedColumn = Pick<ColumnOptions, 'name' | 'kind' | 'setting' | 'mayLack'>;

const REMEDY = 'Correct the path in the experiment file; it is relative to that file.';

/**
 * @param path absolute
 * @throws UserError that names the file
 */
export async function openTableFile(path: string, config: TableConfig): Promise<TableFile> {
  await checkUserFile(path, REMEDY);
  const head = await headOf(path);
  return aboutFile(path, head, async () => {
    if (fileKindOf(head) !== undefined) throw new FormatError('it is no table');
    return isParquet(head) ? openParquet(path) : openCsv(path, head, config);
  });
}

/**
 * Reads some columns of a table into memory.
 * @throws UserError that names the file, when it is damaged, has no rows, or takes more than the memory of the machine
 */
export async function readColumns(
  file: TableFile,
  wanted: readonly WantedColumn[],
  { decimal }: Pick<TableConfig, 'decimal'>,
  signal: AbortSignal | undefined,
): Promise<{ rows: number; columns: TableColumn[] }> {
  const { path, unit, texts } = file;
  const readers = wanted.map(
    (column) => new ColumnReader({ ...column, path, unit, decimal, isText: texts.has(column.name) }),
  );
  const most = memoryOfMachine();
  const rows = await aboutFile(path, await headOf(path), () =>
    file.read(
      readers,
      (soFar) => {
        if (soFar * readers.length * BYTES_PER_VALUE > most) throw tooLarge(path, soFar, readers.length, most);
      },
      signal,
    ),
  );
  if (rows === 0)
    throw new UserError(`${path} has no rows.`, {
      remedy: 'It has names of columns and no values; a CSV file without names needs "header": false.',
    });
  return { rows, columns: readers.map((reader) => reader.column()) };
}

async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What a FormatError says, as an error that names the file. */
async function aboutFile<T>(path: string, head: Uint8Array, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw notUsable(path, error, head, 'Write the table anew, or correct the path in the experiment file.');
  }
}

function tooLarge(path: string, rows: number, columns: number, most: number): UserError {
  return new UserError(
    `${path} has more than ${rows} rows of ${columns} columns, which take ${formatBytes(rows * columns * BYTES_PER_VALUE)} of memory ` +
      `while they are read; this machine has ${formatBytes(most)}.`,
    { remedy: 'Name fewer columns in data.columns, or read the table in a data module of your own.' },
  );
}
