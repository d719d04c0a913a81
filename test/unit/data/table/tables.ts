/** @file Tables for tests. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch, Dataset, Split } from '../../../../server/data/dataset.ts';
import { openDataset } from '../../../../server/data/openDataset.ts';
import type { DataConfig } from '../../../../server/protocol/experiment/schema.ts';
import { data as dataSchema } from '../../../../server/protocol/experiment/schema/data.ts';

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'deeptwist-table-'));
}

/** With the defaults of the schema. */
export function tableConfig(settings: Record<string, unknown> = {}): DataConfig {
  const place = 'files' in settings ? {} : { path: 'table.csv' };
  return dataSchema.parse({ type: 'table', target: 'kind', ...place, ...settings });
}

export function openTable(folder: string, settings: Record<string, unknown> = {}): Promise<Dataset> {
  return openDataset(tableConfig(settings), folder);
}

/** By row, its inputs and then its target. */
export function rowsOf(split: Split | undefined, batchSize = 4): number[][] {
  return Array.from(split!.batches(batchSize) as Iterable<Batch>).flatMap(({ size, inputs, targets }) =>
    Array.from({ length: size }, (_, row) =>
      [...inputs, ...targets].flatMap((values) => {
        const width = values.length / size;
        return [...values.subarray(row * width, (row + 1) * width)];
      }),
    ),
  );
}
