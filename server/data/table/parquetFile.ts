/** @file Parquet files as tables: read by groups of rows, of each the columns that are wanted. */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import type { FileMetaData, SchemaTree } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { FormatError } from '../../formats/formatError.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { messageOf } from '../../protocol/thrown.ts';
import { UserError } from '../../protocol/userError.ts';
import type { ColumnReader } from './columnReader.ts';
import type { TableFile } from './tableFile.ts';

const MAGIC = Buffer.from('PAR1', 'latin1');

export function isParquet(head: Uint8Array): boolean {
  return MAGIC.equals(head.subarray(0, MAGIC.length));
}

/** @throws FormatError when the file is damaged */
export async function openParquet(path: string): Promise<TableFile> {
  const { metadata, columns } = await unlessDamaged(async () => {
    const file = await asyncBufferFromFile(path);
    const read = await parquetMetadataAsync(file);
    return { metadata: read, columns: parquetSchema(read).children };
  });
  const names = columns.map(({ element }) => element.name);
  if (new Set(names).size < names.length) throw new FormatError('two of its columns have the same name');
  return {
    path,
    unit: 'row',
    names,
    texts: new Set(columns.filter(isText).map(({ element }) => element.name)),
    read: (readers, onRows, signal) => readGroups(path, metadata, columns, readers, onRows, signal),
  };
}

/** True for texts, truth values, dates and times. */
function isText({ element: { type, converted_type: converted, logical_type: logical } }: SchemaTree): boolean {
  if (type === 'BOOLEAN') return true;
  const meaning = `${converted ?? ''} ${logical?.type ?? ''}`;
  if (/DECIMAL|FLOAT16/.test(meaning)) return false;
  return type?.endsWith('BYTE_ARRAY') === true || type === 'INT96' || /DATE|TIME/.test(meaning);
}

async function readGroups(
  path: string,
  metadata: FileMetaData,
  columns: readonly SchemaTree[],
  readers: readonly ColumnReader[],
  onRows: (rows: number) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  for (const { name } of readers) {
    const column = columns.find(({ element }) => element.name === name);
    if (column === undefined || column.children.length > 0 || column.element.repetition_type === 'REPEATED')
      throw new SettingError(['data', 'kinds', name], `column '${name}' of ${path} has lists or tables in it`, {
        remedy: `Set its kind to "ignored", or write its parts to columns of their own.`,
      });
  }
  const file = await asyncBufferFromFile(path);
  let rows = 0;
  for (const { num_rows: inGroup } of metadata.row_groups) {
    const end = rows + Number(inGroup);
    for (const reader of readers) {
      signal?.throwIfAborted();
      const values = await unlessDamaged(() =>
        parquetReadObjects({ file, metadata, compressors, columns: [reader.name], rowStart: rows, rowEnd: end }),
      );
      if (values.length !== end - rows)
        throw new FormatError(`column '${reader.name}' has ${values.length} values in a group of ${end - rows} rows`);
      values.forEach((row, index) =>
        reader.add(valueOf(row[reader.name] as unknown, reader.name, path, rows + index + 1), rows + index + 1),
      );
    }
    rows = end;
    onRows(rows);
  }
  return rows;
}

/** Undefined where it is missing: null, or not a number (pandas writes NaN for it). */
function valueOf(value: unknown, name: string, path: string, row: number): string | number | undefined {
  if (value === null || value === undefined || Number.isNaN(value)) return undefined;
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Date) return value.toISOString();
  throw new UserError(`${path}, row ${row}: column '${name}' has bytes, which are no value.`, {
    remedy: `Set its kind in data.kinds to "ignored".`,
  });
}

/** What the reader throws for a file that is not as it should be, as an error of the file. */
async function unlessDamaged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new FormatError(`it cannot be read as Parquet: ${messageOf(error)}`, {
      remedy: 'Write it anew, for example with pandas: table.to_parquet(…).',
    });
  }
}
