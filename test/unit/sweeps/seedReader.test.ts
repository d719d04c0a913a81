import { expect, test } from 'vitest';
import { seedReader } from '../../../server/sweeps/seedReader.ts';

const readerOf = (experiment: object) =>
  seedReader({ experimentText: () => Promise.resolve(JSON.stringify(experiment)) });

test.each([
  ['that of the file', { training: { seed: 7 } }, [], 7],
  ['that of the run', { training: { seed: 7 } }, ['training.seed=3'], 3],
  ['that of a whole training', { training: { seed: 7 } }, ['training={"seed":4}'], 4],
  ['the default of a whole training without one', { training: { seed: 7 } }, ['training={}'], 1],
  ['the default', { training: {} }, [], 1],
  ['also told where the run is wrong', { training: { seed: 7, steps: -1 }, model: 3 }, ['training.steps=none'], 7],
  ['the default where it is none', { training: { seed: 7 } }, ['training.seed=-1'], 1],
])('the seed of a run is %s', async (_, experiment, set, seed) => {
  expect(await readerOf(experiment)({ set })).toBe(seed);
});
