import { expect, test } from 'vitest';
import type { Batch, Split } from '../../../server/data/dataset.ts';
import { contentOf, partOf, splitOf } from '../../../server/sensitivity/samples.ts';
import { userErrorOf } from '../userErrorOf.ts';

/** Samples of two numbers, `[i, -i]` with the label i. */
function counted(samples: number): Split {
  return {
    samples,
    *batches(batchSize) {
      for (let from = 0; from < samples; from += batchSize) {
        const size = Math.min(batchSize, samples - from);
        yield {
          size,
          inputs: [Float32Array.from({ length: 2 * size }, (_, i) => (i % 2 === 0 ? 1 : -1) * (from + (i >> 1)))],
          targets: [Int32Array.from({ length: size }, (_, i) => from + i)],
        };
      }
    },
  };
}

async function batchesOf(split: Split, batchSize: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of split.batches(batchSize)) batches.push(batch);
  return batches;
}

test('a part of a split is spread evenly over it, each sample with its label, also where the split does not say how many there are', async () => {
  for (const [total, samples, split] of [
    [100, 10, counted(100)],
    [103, 7, counted(103)],
    [9, 8, counted(9)],
    [103, 7, { ...counted(103), samples: undefined }],
  ] as const) {
    const part = await partOf(split, samples, { batchSize: 4, isText: false });
    const batches = await batchesOf(part, 3);
    const labels = batches.flatMap(({ targets }) => [...targets[0]]);
    expect(part.samples).toBe(samples);
    expect(labels).toHaveLength(samples);
    expect(batches.flatMap(({ inputs }) => [...inputs[0]])).toEqual(labels.flatMap((label) => [label, -label]));
    const gaps = labels.slice(1).map((label, i) => label - labels[i]);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(Math.floor(total / samples));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil(total / samples));
  }
});

test('a split that has no more samples is taken as it is', async () => {
  const split = counted(5);
  expect(await partOf(split, 5, { batchSize: 2, isText: false })).toBe(split);
  expect(await partOf(split, undefined, { batchSize: 2, isText: false })).toBe(split);
  const uncounted = { ...split, samples: undefined };
  expect(await partOf(uncounted, 5, { batchSize: 2, isText: false })).toBe(uncounted);
});

test('a text has its first batches, whole', async () => {
  const part = await partOf(counted(100), 5, { batchSize: 4, isText: true });
  expect(part.samples).toBe(8);
  expect((await batchesOf(part, 4)).map(({ targets }) => [...targets[0]])).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ]);
});

test('the content of a split is that of its samples, however they are read', async () => {
  const whole = await contentOf(counted(10), 10);
  expect(whole.samples).toBe(10);
  expect((await contentOf(counted(9), 10)).hash).not.toBe(whole.hash);
  expect(await contentOf(counted(10), 10)).toEqual(whole);
});

test('without a validation split, the message says what to do', async () => {
  const dataset = { train: counted(1), test: counted(1) };
  const { message, remedy } = await userErrorOf(() => splitOf(dataset, 'validation'));
  expect(message).toContain('no validation split');
  expect(remedy).toMatch(/--split train/);
  expect(splitOf(dataset, 'test')).toBe(dataset.test);
});
