import { readFile } from 'node:fs/promises';
import { openDataset } from '../../../../server/data/openDataset.ts';
import { tableConfig } from '../../data/table/tables.ts';
import { bytes, pick, type Mutation } from '../mutations.ts';
import type { Subject } from '../subject.ts';

const fixture = (name: string) => readFile(new URL(`../../data/table/fixtures/${name}.parquet`, import.meta.url));

const words = [
  '"',
  '""',
  ',',
  ',,',
  '\n',
  '\r',
  '\uFEFF',
  '1e999',
  '-0',
  'NaN',
  '0x1',
  '\u2028',
  'x'.repeat(3000),
  '"'.repeat(99),
];

/** Something of CSV where it does not belong. */
const inserted: Mutation = (content, random) => {
  const word = pick(words, random);
  const at = random.below(content.length + 1);
  const changed = Buffer.concat([content.subarray(0, at), Buffer.from(word), content.subarray(at)]);
  return { content: changed, what: `${JSON.stringify(word.slice(0, 9))} at ${at}` };
};

async function read(folder: string, settings: Record<string, unknown>): Promise<void> {
  const dataset = await openDataset(tableConfig(settings), folder);
  const stream = await dataset.openTraining({ batchSize: 2, seed: 1, step: 0 });
  await stream.next();
  for await (const batch of dataset.test.batches(2)) void batch;
}

const row = (index: number) => `${index},"a ""b""${index % 3}",${index % 5 === 0 ? '' : index / 7},${index % 2}`;
const csv = `x,text,y,kind\r\n${Array.from({ length: 40 }, (_, index) => row(index)).join('\r\n')}\r\n`;

export const csvTables: Subject = {
  name: 'CSV',
  cases: 160,
  files: () => Promise.resolve({ 'table.csv': csv }),
  mutations: { 'table.csv': [...bytes, inserted, inserted, inserted] },
  read: (folder) => read(folder, {}),
};

export const parquetTables: Subject = {
  name: 'Parquet',
  cases: 120,
  files: async () => ({ 'train.parquet': await fixture('zstd'), 'test.parquet': await fixture('none') }),
  mutations: { 'train.parquet': bytes, 'test.parquet': bytes },
  read: (folder) =>
    read(folder, { files: { train: 'train.parquet', test: 'test.parquet' }, kinds: { lists: 'ignored' } }),
};
