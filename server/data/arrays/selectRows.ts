/** @file Some samples of a table, as a table of their own. */
import { elementCount } from '../../protocol/shape.ts';
import type { Column, Table } from '../inMemoryDataset.ts';

/** @param rows indices of the samples, in the order that they will have */
export function selectRows(table: Table, rows: Uint32Array): Table {
  return {
    ...table,
    samples: rows.length,
    inputs: table.inputs.map((column) => selectFrom(column, rows)),
    targets: table.targets.map((column) => selectFrom(column, rows)),
  };
}

/** Single numbers are copied, so that they can be counted; larger samples stay where they are. */
function selectFrom(column: Column, rows: Uint32Array): Column {
  if ('copyRow' in column)
    return { ...column, copyRow: (sample, to, at, random) => column.copyRow(rows[sample], to, at, random) };
  const { data, ...spec } = column;
  const length = elementCount(column.shape);
  if (length > 1)
    return {
      ...spec,
      copyRow: (sample, to, at) => to.set(data.subarray(rows[sample] * length, (rows[sample] + 1) * length), at),
    };
  const selected = data.slice(0, rows.length);
  rows.forEach((row, i) => (selected[i] = data[row]));
  return { ...spec, data: selected };
}
