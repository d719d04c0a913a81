import { expect, test } from 'vitest';
import type { Compressor } from '../../../../server/compression/compressor.ts';
import { createCompressor, type WrittenCompression } from '../createCompressor.ts';
import { normals } from '../random.ts';
import { trainedWeight, type TrainedWeight } from '../trainedWeight.ts';

const run = { steps: 100, seed: 1 };
const rigl = {
  method: 'prune',
  policy: 'rigl',
  distortEvery: 10,
  layers: { fc: { rate: 0.5 } },
  regrowth: { fraction: 0.5 },
} satisfies WrittenCompression;
const marks = (compressor: Compressor) => [...compressor.state['fc/kernel/mask']];

/** A step with given gradients; the optimizer subtracts them, and moves masked weights, too. */
async function step(compressor: Compressor, { values, gradient }: TrainedWeight, at: number, gradients: number[]) {
  await compressor.beforeStep(at);
  gradient.set(gradients);
  await compressor.pull();
  for (let i = 0; i < values.length; i++) values[i] -= gradient[i] + 0.001;
  await compressor.push();
  if (compressor.distortsAfter(at)) await compressor.distort(at);
}

test('keeps the greatest at first, then drops the least of them and grows as many from zero where gradients are greatest', async () => {
  const fc = trainedWeight('fc/kernel', [8, 1], 1);
  const compressor = createCompressor(rigl, [fc], run);
  fc.values.set([1, 2, 3, 4, 5, 6, 7, 8]);
  await step(compressor, fc, 10, [0.1, 0, 0.05, 0, 0, 0, 0, 0]);
  expect(marks(compressor)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  // Masked entries are not moved by the optimizer.
  await step(compressor, fc, 11, [0, 9, 9, 0, 0, 0, 0, 0]);
  expect([...fc.values.slice(0, 4)]).toEqual([0, 0, 0, 0]);
  expect([...fc.gradient.slice(0, 4)]).toEqual([0, 0, 0, 0]);
  // f_t at t = 20 of 100 is nearly 0.48: 3 of the 4 stay, and the greatest gradient of all others is that of the third.
  await step(compressor, fc, 20, [0, 0.5, 0.7, 0, 0, 0, 0, 0]);
  expect(marks(compressor)).toEqual([0, 0, 1, 0, 0, 1, 1, 1]);
  expect([fc.values[2], fc.values[4]]).toEqual([0, 0]);
});

test('the part that changes falls as a cosine, to nothing at t_f', async () => {
  const fc = trainedWeight('fc/kernel', [100, 10], 1);
  const schedule = { initialRate: 0.5, from: 10, to: 90 };
  const compressor = createCompressor({ ...rigl, schedule }, [fc], run);
  let before = marks(compressor);
  for (let at = 10; at <= 100; at += 10) {
    // The weights that are kept are greater than those that have grown.
    await step(compressor, fc, at, [...normals(1000, at)]);
    const now = marks(compressor);
    const grown = now.filter((mark, i) => mark === 1 && before[i] === 0).length;
    const part = at >= 90 ? 0 : 0.25 * (1 + Math.cos((Math.PI * (at - 10)) / 80));
    if (at > 10) expect(Math.abs(grown - 500 * part)).toBeLessThanOrEqual(0.5 * 500 * part + 1);
    if (at > 10 && at < 80) expect(grown).toBeGreaterThan(0);
    expect(now.filter((mark) => mark === 0)).toHaveLength(500);
    before = now;
  }
});

test.each([
  ['single weights', { layers: { '*': { rate: 0.6 } } }],
  ['blocks', { layers: { '*': { rate: 0.6, pattern: 'block', block: [2, 2] as [number, number] } } }],
  ['units', { layers: { '*': { rate: 0.6, pattern: 'unit' } } }],
  ['one threshold for the model', { scope: 'model' as const, layers: { '*': { rate: 0.6 } } }],
  ['taylor', { criterion: 'taylor' as const, layers: { '*': { rate: 0.6 } } }],
])('a run that goes on from a checkpoint ends the same, at its rate: %s', async (_, settings) => {
  const model = () => [trainedWeight('fc/kernel', [20, 10], 1), trainedWeight('out/kernel', [10, 8], 2)];
  const compression = { ...rigl, ...settings, schedule: { from: 20, to: 80 } };
  const train = async (compressor: Compressor, weights: readonly TrainedWeight[], from: number, to: number) => {
    for (let at = from; at <= to; at++) {
      await compressor.beforeStep(at);
      weights.forEach(({ gradient }, i) => gradient.set(normals(gradient.length, 1000 * i + at, 0.1)));
      await compressor.pull();
      for (const { values, gradient } of weights) for (let i = 0; i < values.length; i++) values[i] -= gradient[i];
      await compressor.push();
      if (compressor.distortsAfter(at)) await compressor.distort(at);
    }
  };
  const weights = model();
  const compressor = createCompressor(compression, weights, run);
  await train(compressor, weights, 1, 43);
  const state = structuredClone(compressor.state);
  const resumed = weights.map((one) => ({ ...one, values: one.values.slice(), gradient: one.gradient.slice() }));
  const second = createCompressor(compression, resumed, run);
  second.restore(state);
  await train(compressor, weights, 44, 100);
  await train(second, resumed, 44, 100);
  expect(resumed.map(({ values }) => values)).toEqual(weights.map(({ values }) => values));
  const zeros = weights.reduce((sum, { values }) => sum + values.filter((value) => value === 0).length, 0);
  expect(zeros).toBeLessThanOrEqual(168);
  // Blocks and units may be one short of the rate in each weight.
  expect(zeros).toBeGreaterThanOrEqual(168 - 2 * 20);
  expect(compressor.compressed.get('out/kernel')).toEqual({ form: 'sparse' });
});
