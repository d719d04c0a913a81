import { describe, expect, test } from 'vitest';
import { createCompressor, type WrittenCompression } from '../createCompressor.ts';
import { normals } from '../random.ts';
import { trainedWeight, trainOnNoise } from '../trainedWeight.ts';

const run = { steps: 400, seed: 1 };
const surgery = {
  method: 'prune',
  policy: 'dynamic-surgery',
  distortEvery: 1,
  layers: { fc: { rate: 0.5 } },
} satisfies WrittenCompression;
/** A new mask at each step. */
const always = { ...surgery, surgery: { gamma: 0 } };
const zeros = (values: Float32Array) => values.filter((value) => value === 0).length;

test('the model computes with the weights under the mask, and all weights are trained', async () => {
  const fc = trainedWeight('fc/kernel', [4, 1], 1);
  const compressor = createCompressor(always, [fc], run);
  fc.values.set([1, -2, 3, 4]);
  await compressor.beforeStep(1);
  // The threshold is 2: what is below 1.8 goes, and 2 itself is within the band.
  expect([...fc.values]).toEqual([0, -2, 3, 4]);
  fc.gradient.fill(1);
  await compressor.pull();
  expect([...fc.values]).toEqual([1, -2, 3, 4]);
  expect([...fc.gradient]).toEqual([1, 1, 1, 1]);
});

test('a weight that was cut returns when it has grown beyond the band', async () => {
  const fc = trainedWeight('fc/kernel', [4, 1], 1);
  const compressor = createCompressor(always, [fc], run);
  const seen: number[][] = [];
  for (const [step, first] of [1, 2.1, 2.3, 2.1, 1.7].entries()) {
    fc.values.set([first, 2, 3, 4]);
    await compressor.beforeStep(step + 1);
    seen.push([...fc.values]);
    await compressor.pull();
  }
  const third = Math.fround(2.3);
  // The thresholds are 2, 2.1, 2.3, 2.1 and 2, with a band from 0.9 to 1.1 of each.
  expect(seen).toEqual([
    [0, 2, 3, 4],
    [0, 2, 3, 4],
    [0, 0, 3, 4],
    [0, 0, 3, 4],
    [0, 0, 3, 4],
  ]);
  fc.values.set([third * 2, 2, 3, 4]);
  await compressor.beforeStep(6);
  expect([...fc.values]).toEqual([Math.fround(third * 2), 0, 3, 4]);
  await compressor.pull();
  fc.values.set([6, 5, 3, 4]);
  await compressor.beforeStep(7);
  expect([...fc.values]).toEqual([6, 5, 0, 4]);
});

describe('masks are chosen anew', () => {
  /** The steps at which the mask of random weights changes. */
  async function refreshes(compression: WrittenCompression, seed = 1): Promise<number[]> {
    const fc = trainedWeight('fc/kernel', [20, 10], 1);
    const compressor = createCompressor(compression, [fc], { ...run, seed });
    const steps: number[] = [];
    let before = compressor.state['fc/kernel/mask'].slice();
    for (let step = 1; step < 400; step++) {
      fc.values.set(normals(200, step));
      await compressor.beforeStep(step);
      await compressor.pull();
      const mask = compressor.state['fc/kernel/mask'];
      if (mask.some((mark, i) => mark !== before[i])) steps.push(step);
      before = mask.slice();
    }
    return steps;
  }

  test('at each step where the chance does not fall, from t_i to t_f', async () => {
    const schedule = { initialRate: 0.3, from: 20, to: 50 };
    expect(await refreshes({ ...always, schedule })).toEqual(Array.from({ length: 31 }, (_, i) => 20 + i));
  });

  test('ever more rarely, as (1 + gamma t)^-power says', async () => {
    const counts = await Promise.all(
      [1, 2, 3, 4, 5].map(async (seed) => {
        const steps = await refreshes({ ...surgery, surgery: { gamma: 0.02, power: 2 } }, seed);
        return steps.length;
      }),
    );
    const chances = Array.from({ length: 399 }, (_, i) => (1 + 0.02 * (i + 1)) ** -2);
    const expected = chances.reduce((sum, chance) => sum + chance, 0);
    const deviation = Math.sqrt(chances.reduce((sum, chance) => sum + chance * (1 - chance), 0) / counts.length);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    expect(Math.abs(mean - expected)).toBeLessThan(4 * deviation);
  });
});

test.each([
  ['single weights', { layers: { '*': { rate: 0.6 } } }],
  ['blocks', { layers: { '*': { rate: 0.6, pattern: 'block', block: [2, 2] as [number, number] } } }],
  ['units', { layers: { '*': { rate: 0.6, pattern: 'unit' } } }],
  ['one threshold for the model', { scope: 'model' as const, layers: { '*': { rate: 0.6 } } }],
  ['units of the whole model', { scope: 'model' as const, layers: { '*': { rate: 0.6, pattern: 'unit' } } }],
  ['movement', { criterion: 'movement' as const, layers: { '*': { rate: 0.6 } } }],
])('a run that goes on from a checkpoint ends the same, with at least the rate: %s', async (_, settings) => {
  const model = () => [trainedWeight('fc/kernel', [20, 10], 1), trainedWeight('out/kernel', [10, 8], 2)];
  const compression = { ...surgery, ...settings, schedule: { from: 20, to: 300 } };
  const weights = model();
  const compressor = createCompressor(compression, weights, run);
  await trainOnNoise(compressor, weights, { from: 1, to: 143, deviation: 0.1 });
  const state = structuredClone(compressor.state);
  const resumed = weights.map((one) => ({ ...one, values: one.values.slice(), gradient: one.gradient.slice() }));
  const second = createCompressor(compression, resumed, run);
  second.restore(state);
  await trainOnNoise(compressor, weights, { from: 144, to: 400, deviation: 0.1 });
  await trainOnNoise(second, resumed, { from: 144, to: 400, deviation: 0.1 });
  expect(resumed.map(({ values }) => values)).toEqual(weights.map(({ values }) => values));
  const pruned = weights.reduce((sum, { values }) => sum + zeros(values), 0);
  // Blocks and units may be one short of the rate in each weight.
  expect(pruned).toBeGreaterThanOrEqual(0.6 * 280 - 2 * 20);
  expect(compressor.compressed.get('fc/kernel')).toEqual({ form: 'sparse' });
});

test('an evaluation sees the weights under the mask, and changes nothing', async () => {
  const fc = trainedWeight('fc/kernel', [20, 10], 1);
  const compressor = createCompressor(surgery, [fc], run);
  await trainOnNoise(compressor, [fc], { from: 1, to: 10, deviation: 0.1 });
  const whole = fc.values.slice();
  await compressor.beforeEvaluation(10);
  expect(zeros(fc.values)).toBeGreaterThan(80);
  const [preview] = await compressor.preview(10, { bins: 8 });
  compressor.afterEvaluation();
  expect(fc.values).toEqual(whole);
  expect(preview.size!.weightsKept).toBeLessThanOrEqual(100);
});
