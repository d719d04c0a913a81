import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CsvColumns } from '../../../server/language/csvColumns.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

it('the names of columns are read again when the file has changed, or what is said of it, and not else', async () => {
  const path = join(await temporaryFolder(), 'pets.csv');
  const columns = new CsvColumns();
  expect(columns.of(path, { header: true })).toEqual([]);
  writeFileSync(path, 'height,kind\n3,cat\n');
  const names = columns.of(path, { header: true });
  expect(names).toEqual(['height', 'kind']);
  expect(columns.of(path, { header: true })).toBe(names);
  expect(columns.of(path, { header: false })).toEqual(['column1', 'column2']);
  expect(columns.of(path, { header: true, delimiter: ';' })).toEqual(['height,kind']);
  writeFileSync(path, 'height;"fur colour";kind\n3;red;cat\n');
  expect(columns.of(path, { header: true })).toEqual(['height', 'fur colour', 'kind']);
});

it.each([
  ['an empty file', ''],
  ['bytes', 'PAR1\0\0\n'],
  ['another encoding', Buffer.from('gr\xf6\xdfe,kind\n', 'latin1')],
  ['two columns of one name', 'kind,kind\n1,2\n'],
])('%s has no columns', async (_, content) => {
  const path = join(await temporaryFolder(), 'table.csv');
  writeFileSync(path, content);
  expect(new CsvColumns().of(path, { header: true })).toEqual([]);
});

it('the comma before decimals divides nothing', async () => {
  const path = join(await temporaryFolder(), 'prices.csv');
  writeFileSync(path, '1,5;2,0;1\n3,5;4,0;0\n');
  const columns = new CsvColumns();
  expect(columns.of(path, { header: false, decimal: ',' })).toEqual(['column1', 'column2', 'column3']);
});
