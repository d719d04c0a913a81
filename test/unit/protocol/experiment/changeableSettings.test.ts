import { expect, test } from 'vitest';
import { whyFixed } from '../../../../server/protocol/experiment/changeableSettings.ts';
import { parseExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';

const experiment = (compression: unknown) =>
  parseExperiment(
    JSON.stringify({
      model: './model.ts',
      data: { type: 'mnist', path: './data' },
      training: { optimizer: { type: 'sgd', learningRate: 1 }, batchSize: 1, steps: 100 },
      compression,
    }),
    { file: 'e.deeptwist.jsonc' },
  );

const low = { method: 'low-rank', policy: 'factors', distortEvery: 1, layers: { fc1: { rank: 2 } } };
const bits = { method: 'quantize', policy: 'one-shot', distortEvery: 1, layers: { 'fc.1': { bits: 2 } } };

test('each compression of a list takes what it takes alone', () => {
  const list = experiment([low, bits]);
  expect(whyFixed('compression[1].layers["fc.1"].bits', list)).toBeUndefined();
  expect(whyFixed('compression[1].distortEvery', list)).toBeUndefined();
  expect(whyFixed('compression[1].method', list)).toBe('a run keeps it from its first step on');
  expect(whyFixed('compression[0].layers.fc1.rank', list)).toMatch('truncates once');
  expect(whyFixed('compression', list)).toBe('a run keeps it from its first step on');
});

test('a compression that is no list takes the same', () => {
  expect(whyFixed('compression.layers["fc.1"].bits', experiment(bits))).toBeUndefined();
  expect(whyFixed('compression.layers.fc1.rank', experiment(low))).toMatch('truncates once');
  expect(whyFixed('training.batchSize', experiment(low))).toBe('a run keeps it from its first step on');
  expect(whyFixed('training.accumulate', experiment(low))).toBe('a run keeps it from its first step on');
});

test('how weights are chosen stays, and how many can change', () => {
  const pruned = experiment({ method: 'prune', distortEvery: 1, layers: { 'fc*': { rate: 0.5, pattern: 'unit' } } });
  const kept = 'a run keeps it from its first step on';
  for (const setting of ['layers.fc*.pattern', 'layers.fc*.block', 'criterion', 'scope', 'surgery.gamma', 'regrowth'])
    expect([setting, whyFixed(`compression.${setting}`, pruned)]).toEqual([setting, kept]);
  expect(whyFixed('compression.layers.fc*.rate', pruned)).toBeUndefined();
});
