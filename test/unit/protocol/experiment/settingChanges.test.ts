import { describe, expect, test } from 'vitest';
import { parseExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';
import { whyFixed } from '../../../../server/protocol/experiment/changeableSettings.ts';
import { describeChange, overrideOf, settingChanges } from '../../../../server/protocol/experiment/settingChanges.ts';

const text = JSON.stringify({
  model: './model.ts',
  data: { type: 'mnist', path: 'mnist' },
  training: { optimizer: { type: 'sgd', learningRate: 0.1 }, batchSize: 10, steps: 100 },
  compression: {
    method: 'prune',
    distortEvery: 5,
    layers: { fc1: { rate: 0.9 }, 'block.1': { rate: 0.5 } },
    schedule: { from: 10, to: 50 },
  },
});
const experiment = (overrides: readonly string[] = []) => parseExperiment(text, { file: 'test', overrides });

test.each([
  ['a value', ['compression.layers.fc1.rate=0.95'], ['compression.layers.fc1.rate 0.9 -> 0.95']],
  ['a name with a dot', ['compression.layers["block.1"].rate=0.6'], ['compression.layers["block.1"].rate 0.5 -> 0.6']],
  ['a default that is written out', ['training.seed=1', 'compression.schedule.exponent=3'], []],
  ['a name for the schema', ['$schema=x'], []],
  [
    'another kind of schedule',
    ['training.learningRateSchedule={"type":"step","every":10,"factor":0.5}'],
    [
      'training.learningRateSchedule.type "constant" -> "step"',
      'training.learningRateSchedule.every none -> 10',
      'training.learningRateSchedule.factor none -> 0.5',
    ],
  ],
  [
    'a part that is left out',
    ['compression.schedule=null'],
    ['compression.schedule {"initialRate":0,"from":10,"to":50,"exponent":3} -> none'],
  ],
  [
    'a layer that is added',
    ['compression.layers.fc2={"rate":0.1}'],
    ['compression.layers.fc2 none -> {"rate":0.1,"pattern":"element"}'],
  ],
])('the difference of %s is one of settings', (_, overrides, changes) => {
  const changed = settingChanges(experiment(), experiment(overrides));
  expect(changed.map(describeChange)).toEqual(changes);
  // Both ways, the changes as overrides make one of the other.
  expect(experiment(changed.map(overrideOf))).toEqual({ ...experiment(overrides), $schema: undefined });
  const back = settingChanges(experiment(overrides), experiment());
  expect(experiment([...overrides, ...back.map(overrideOf)])).toEqual({
    ...experiment(),
    ...(overrides[0].startsWith('$schema') && { $schema: 'x' }),
  });
});

describe('while it trains, a run', () => {
  test.each([
    'compression.layers.fc1.rate',
    'compression.layers["block.1"].rate',
    'compression.layers.lstm/kernel.rank',
    'compression.layers.fc*.algorithm',
    'compression.layers.fc1.bits',
    'compression.distortEvery',
    'compression.schedule',
    'compression.schedule.from',
    'compression.schedule.initialRate',
    'training.optimizer.learningRate',
    'training.learningRateSchedule.type',
  ])('can take %s', (path) => {
    expect(whyFixed(path, experiment())).toBeUndefined();
  });

  test.each([
    'compression.layers.fc1',
    'compression.layers["block.1"]',
    'compression.layers.lstm.sharedProjection',
    'compression.method',
    'compression.policy',
    'compression',
    'training.optimizer.type',
    'training.optimizer.momentum',
    'training.steps',
    'model',
    'data.path',
  ])('keeps %s', (path) => {
    expect(whyFixed(path, experiment())).toBe('a run keeps it from its first step on');
  });
});
