/** @file A file of 5 GB: sparse, so that it takes no disk. */
import { truncateSync } from 'node:fs';
import { expect, test } from 'vitest';
import { statisticsOf } from '../../../server/inspect/statistics.ts';
import { shortest } from '../../until.ts';
import { openedFiles, tensorOf } from './opened.ts';

const { open, write } = openedFiles();
const GIGABYTE = 1e9;
const MEGABYTE = 2 ** 20;

/** 500 tensors of 10 MB, as a language model of 2.5 billion bfloat16 numbers has. */
function writeLarge(): string {
  const tensors = Array.from({ length: 500 }, (_, i) => [
    `model.layers.${i}.weight`,
    { dtype: 'BF16', shape: [1250, 4000], data_offsets: [i * 10_000_000, (i + 1) * 10_000_000] },
  ]);
  const header = Buffer.from(JSON.stringify(Object.fromEntries(tensors)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const path = write('large.safetensors', Buffer.concat([length, header]));
  truncateSync(path, 8 + header.length + 5 * GIGABYTE);
  return path;
}

test('a file of 5 GB opens within a second, in 32 MB of memory', async () => {
  const path = writeLarge();
  const before = process.memoryUsage.rss();
  const milliseconds = await shortest(1000, async () => {
    const start = performance.now();
    const file = await open(path);
    expect(file.tensors).toHaveLength(500);
    expect(file.bytes).toBeGreaterThan(5 * GIGABYTE);
    return performance.now() - start;
  });
  expect(milliseconds).toBeLessThan(1000);
  expect(process.memoryUsage.rss() - before).toBeLessThan(32 * MEGABYTE);
});

test('the last tensor of 5 GB is read alone, in 64 MB of memory', async () => {
  const file = await open(writeLarge());
  const before = process.memoryUsage.rss();
  const statistics = await statisticsOf(tensorOf(file, 'model.layers.499.weight'));
  expect(statistics).toMatchObject({ zeros: 5_000_000, minimum: 0, maximum: 0, deviation: 0 });
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MEGABYTE);
});
