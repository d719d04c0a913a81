/** @file Arrays larger than what may be in memory: the same batches, read by rows. */
import { closeSync, ftruncateSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { openArrays } from '../../../../server/data/arrays/arraysDataset.ts';
import type { Dataset } from '../../../../server/data/dataset.ts';
import { encodeSafetensors } from '../../../../server/formats/safetensors.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { npy } from '../../../fixtures/npy.ts';

const SAMPLES = 40;
const x = Float32Array.from({ length: 3 * SAMPLES }, (_, i) => Math.sin(i));
const y = Int32Array.from({ length: SAMPLES }, (_, i) => i % 4);

async function folderOfArrays(): Promise<string> {
  const folder = await temporaryFolder();
  const files = { 'x.npy': npy(x, [SAMPLES, 3]), 'y.npy': npy(y, [SAMPLES]) };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  writeFileSync(join(folder, 'stored.npz'), zipSync(files, { level: 0 }));
  writeFileSync(join(folder, 'deflated.npz'), zipSync(files));
  writeFileSync(
    join(folder, 'both.safetensors'),
    encodeSafetensors(
      new Map([
        ['x', { dtype: 'F32', shape: [SAMPLES, 3], data: x }],
        ['y', { dtype: 'I32', shape: [SAMPLES], data: y }],
      ]),
    ),
  );
  return folder;
}

async function batchesOf(data: Dataset): Promise<unknown[]> {
  const all: unknown[] = [];
  const copy = ({ inputs, targets }: { inputs: ArrayLike<number>[]; targets: ArrayLike<number>[] }) =>
    [...inputs, ...targets].map((values) => Array.from(values));
  const stream = await data.openTraining({ batchSize: 7, seed: 3, step: 2 });
  for (let step = 0; step < 9; step++) all.push(copy(await stream.next()));
  for (const split of [data.train, data.test, data.validation])
    if (split) for await (const batch of split.batches(6)) all.push(copy(batch));
  return all;
}

test.each([
  ['x.npy', 'y.npy'],
  ['stored.npz:x', 'stored.npz:y'],
  ['deflated.npz:x', 'deflated.npz:y'],
  ['both.safetensors:x', 'both.safetensors:y'],
])('%s and %s give the same batches whether they fit into memory or not', async (inputs, targets) => {
  const folder = await folderOfArrays();
  const open = (budget: number) =>
    openArrays(
      { type: 'arrays', train: { inputs, targets }, split: { test: 0.25, validation: 0.1 }, seed: 1 },
      folder,
      budget,
    );
  const whole = await open(1e6);
  const expected = await batchesOf(whole);
  await whole.close();
  // The targets alone fit: of each class, a split has the same fraction.
  const streamed = await open(SAMPLES * 4 + 1);
  expect(await batchesOf(streamed)).toEqual(expected);
  expect(streamed.countLabels?.(4, 0)).toEqual(whole.countLabels?.(4, 0));
  await streamed.close();
});

test('targets that do not fit either are read with their inputs', async () => {
  const arrays = { inputs: 'x.npy', targets: 'y.npy' };
  const data = await openArrays(
    { type: 'arrays', train: arrays, split: { test: 0.25, validation: 0 }, seed: 1 },
    await folderOfArrays(),
    0,
  );
  const rows: number[] = [];
  for (const split of [data.train, data.test])
    for await (const { inputs, targets, size } of split.batches(8))
      for (let i = 0; i < size; i++) {
        const row = x.indexOf(inputs[0][3 * i]) / 3;
        expect(targets[0][i]).toBe(y[row]);
        rows.push(row);
      }
  expect(rows.sort((a, b) => a - b)).toEqual([...y.keys()]);
  await data.close();
});

test('an array of 10 GB opens and is trained on with little memory', async () => {
  const folder = await temporaryFolder();
  const [samples, features] = [10_000, 262_144]; // 10.5 GB of float32
  const header = npy(new Float32Array(0), [samples, features]);
  const descriptor = openSync(join(folder, 'x.npy'), 'w');
  writeSync(descriptor, header);
  ftruncateSync(descriptor, header.length + 4 * samples * features); // Zeros that take no room on the disk.
  writeSync(descriptor, Float32Array.of(7), 0, 4, header.length + 4 * (samples - 1) * features);
  closeSync(descriptor);
  writeFileSync(join(folder, 'y.npy'), npy(new Int32Array(samples), [samples]));
  const arrays = { inputs: 'x.npy', targets: 'y.npy' };
  const before = process.memoryUsage.rss();
  const data = await openArrays(
    { type: 'arrays', train: arrays, split: { validation: 0, test: 0.1 }, seed: 1 },
    folder,
  );
  const stream = await data.openTraining({ batchSize: 4, seed: 1, step: 0 });
  for (let step = 0; step < 30; step++) await stream.next();
  expect(process.memoryUsage.rss() - before).toBeLessThan(1e9);
  expect(data.train.samples).toBe(9000);
  await data.close();
});

test('a file that becomes shorter while it is read is told', async () => {
  const folder = await folderOfArrays();
  const arrays = { inputs: 'x.npy', targets: 'y.npy' };
  const data = await openArrays(
    { type: 'arrays', train: arrays, test: arrays, split: { validation: 0 }, seed: 1 },
    folder,
    0,
  );
  truncateSync(join(folder, 'x.npy'), 200);
  const stream = await data.openTraining({ batchSize: SAMPLES, seed: 1, step: 0 });
  const error = await userErrorOf(async () => stream.next());
  expect(error.message).toMatch(/x\.npy has become shorter since it was opened/);
  await data.close();
});

test('an integer beyond 32 bits is told with its place when its row is read', async () => {
  const folder = await temporaryFolder();
  writeFileSync(join(folder, 'x.npy'), npy(x, [SAMPLES, 3]));
  const wide = BigInt64Array.from({ length: SAMPLES }, (_, i) => (i === 5 ? 2n ** 40n : 0n));
  writeFileSync(join(folder, 'y.npy'), npy(wide, [SAMPLES]));
  const arrays = { inputs: 'x.npy', targets: 'y.npy' };
  const data = await openArrays(
    { type: 'arrays', train: arrays, test: arrays, split: { validation: 0 }, seed: 1 },
    folder,
    0,
  );
  const error = await userErrorOf(async () => {
    for await (const batch of data.test.batches(10)) void batch;
  });
  expect(error.message).toMatch(/y\.npy is not usable: element 5 is 1099511627776/);
  await data.close();
});
