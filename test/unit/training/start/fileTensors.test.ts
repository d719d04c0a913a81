import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { encodeOnnxModel } from '../../../../server/formats/onnx.ts';
import { openTensorFile } from '../../../../server/training/start/fileTensors.ts';

async function numbersOf(path: string, name: string): Promise<number[]> {
  const file = await openTensorFile(path);
  onTestFinished(() => file.close());
  return [...((await file.tensors.find((tensor) => tensor.name === name)?.read()) ?? [])];
}

test('a sparse initializer has its numbers where they belong, and zeros between them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-tensors-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const indices = BigInt64Array.of(1n, 2n, 5n, 6n);
  const model = encodeOnnxModel({
    inputs: [],
    outputs: [{ name: 'fc1/kernel', type: 'float32', shape: [4, 2] }],
    initializers: [],
    sparseInitializers: [{ name: 'fc1/kernel', shape: [4, 2], values: Float32Array.of(1, 2, 3, 4), indices }],
    nodes: [],
  });
  writeFileSync(join(folder, 'pruned.onnx'), model);
  expect(await numbersOf(join(folder, 'pruned.onnx'), 'fc1/kernel')).toEqual([0, 1, 2, 0, 0, 3, 4, 0]);
});

test('a column-major array is read row by row', async () => {
  const fixture = (name: string) => fileURLToPath(new URL(`../../formats/fixtures/${name}.npy`, import.meta.url));
  const [column, row] = await Promise.all(['fortran', 'f4'].map((name) => numbersOf(fixture(name), name)));
  expect(column).toEqual(row);
});
