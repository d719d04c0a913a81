/** @file The distortions that a run records, and how. */
import { expect, test } from 'vitest';
import { eventsOf, experiment, workspace } from './workspace.ts';

const compression = { method: 'prune', distortEvery: 2, layers: { 'fc*': { rate: 0.7 } } };
const lowRank = { method: 'low-rank', distortEvery: 2, layers: { fc1: { rank: 3 } } };
const steps = (every: number) => Array.from({ length: 300 / every }, (_, i) => every * (i + 1));

async function observed(changes: object) {
  const { run } = await workspace({ training: { ...experiment.training, steps: 300 }, ...changes });
  const { events } = await run();
  return { distortions: eventsOf(events, 'distortion'), spectra: eventsOf(events, 'spectrum') };
}

test('about a hundred are recorded, the first and the last among them', async () => {
  const { distortions } = await observed({ compression });
  // A distortion every 2 steps, of which one is recorded when 3 steps have gone by.
  expect(distortions.map(({ step }) => step)).toEqual([
    2,
    ...steps(4)
      .filter((step) => step > 4)
      .map((step) => step - 2),
    300,
  ]);
});

test('as many as the experiment says are recorded, with histograms of its bins that count every weight', async () => {
  const { distortions } = await observed({ compression, observe: { every: 50, bins: 11 } });
  expect(distortions.map(({ step }) => step)).toEqual([2, 52, 102, 152, 202, 252, 300]);
  for (const { weights, lossBefore, lossAfter } of distortions) {
    expect(weights.map(({ name }) => name)).toEqual(['fc1/kernel', 'fc2/kernel']);
    const [{ histogram, setting, relativeError }] = weights;
    for (const counts of [histogram.before, histogram.after]) {
      expect(counts).toHaveLength(11);
      expect(counts.reduce((sum, count) => sum + count)).toBe(128);
    }
    expect(histogram.zerosAfter).toBe(Math.floor(0.7 * 128));
    expect(setting).toEqual({ rate: 0.7 });
    expect(relativeError).toBeGreaterThan(0);
    expect(lossAfter).not.toBe(lossBefore);
  }
});

test('compressed weights that the model computes with are recorded as often, though no distortion shows them', async () => {
  const { run } = await workspace({
    training: { ...experiment.training, steps: 300 },
    compression: {
      method: 'quantize',
      policy: 'straight-through',
      distortEvery: 2,
      layers: { 'fc*': { levels: 'uniform', bits: 2, bucket: 'row' } },
      schedule: { from: 20 },
    },
    observe: { every: 50, bins: 11 },
  });
  const { events } = await run();
  const observations = eventsOf(events, 'observation');
  expect(observations.map(({ step, scheduled }) => [step, scheduled])).toEqual(
    [20, 70, 120, 170, 220, 270].map((step) => [step, true]),
  );
  expect(eventsOf(events, 'distortion').map(({ step }) => step)).toEqual([300]);
  const [{ weights }] = observations;
  expect(weights.map(({ name }) => name)).toEqual(['fc1/kernel', 'fc2/kernel']);
  for (const { relativeError, scaledLevels } of weights) {
    expect(relativeError).toBeGreaterThan(0);
    expect(scaledLevels?.levels).toEqual([0, 1 / 3, 2 / 3, 1]);
  }
});

test('singular values are recorded at each low-rank observation, of other methods at the first and the last, or never', async () => {
  const observe = { every: 100 };
  const ofLowRank = await observed({ compression: lowRank, observe });
  expect(ofLowRank.spectra.map(({ step }) => step)).toEqual([2, 102, 202, 300]);
  const [{ weights }] = ofLowRank.spectra.slice(-1);
  expect(weights).toMatchObject([{ name: 'fc1/kernel', rank: 3 }]);
  expect(weights[0].singularValues).toHaveLength(8);
  // Before the distortion: two steps after the last one, the rank is not 3 any more.
  expect(weights[0].singularValues[3]).toBeGreaterThan(1e-4);
  expect((await observed({ compression, observe })).spectra.map(({ step }) => step)).toEqual([2, 300]);
  expect((await observed({ compression: lowRank, observe: { spectrum: false } })).spectra).toEqual([]);
});
