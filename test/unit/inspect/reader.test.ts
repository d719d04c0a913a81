/** @file The thread that reads a file for the editor, built as it is shipped. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FoundInFile, WantedNumbers } from '../../../server/protocol/wire/modelFile.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deeptwist-reader-'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await build({
    entryPoints: [fileURLToPath(new URL('../../../server/inspect/reader.ts', import.meta.url))],
    outfile: join(folder, 'reader.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
  });
});
afterAll(() => rm(folder, { recursive: true }));

async function told(path: string, wanted?: WantedNumbers): Promise<FoundInFile[]> {
  const thread = new Worker(join(folder, 'reader.js'), { workerData: { path } });
  try {
    const [first] = (await once(thread, 'message')) as [FoundInFile];
    if (!wanted) return [first];
    thread.postMessage(wanted);
    const [second] = (await once(thread, 'message')) as [FoundInFile];
    return [first, second];
  } finally {
    await thread.terminate();
  }
}

test('tells of the tensors, and then of the numbers that are asked for', async () => {
  const path = fileURLToPath(new URL('../formats/fixtures/all-types.safetensors', import.meta.url));
  const [found, numbers] = await told(path, { statistics: [2] });
  if (found.type !== 'file') throw new Error(JSON.stringify(found));
  expect(found.file).toMatchObject({ name: 'all-types.safetensors', format: 'safetensors', bytes: 1146 });
  expect(found.file.tensors[2]).toEqual({
    ...{ name: 'fc1/kernel', shape: [2, 3, 4], dtype: 'float32', elements: 24, bytes: 96 },
    matrix: { rows: 4, columns: 6 },
  });
  expect(numbers).toMatchObject({ type: 'statistics', tensor: 2, statistics: { zeros: 1, minimum: -5, maximum: 18 } });
});

test('tells why a file is not read, with a remedy', async () => {
  const [found] = await told(join(folder, 'none.onnx'));
  expect(found).toEqual({
    type: 'problem',
    message: `${join(folder, 'none.onnx')} cannot be read: there is no such file.`,
    remedy: 'Correct the path; a link on the way may lead nowhere.',
  });
});
