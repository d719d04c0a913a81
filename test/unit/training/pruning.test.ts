/** @file Patterns, criteria and policies of pruning in whole runs, from the experiment file to the stored model. */
import { describe, expect, test } from 'vitest';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, experiment, finalWeights, mlp, resume, statefulLstm, workspace } from './workspace.ts';

const common = { method: 'prune', distortEvery: 4, schedule: { from: 10, to: 40 } };
const element = { 'fc*': { rate: 0.6 } };
const unit = { 'fc*': { rate: 0.5, pattern: 'unit' } };
const zeros = (values: Float32Array) => values.filter((value) => value === 0).length;

describe('a run that is stopped and resumed ends as if it had not been', () => {
  test.each([
    ['movement', { criterion: 'movement', layers: element }],
    ['taylor', { criterion: 'taylor', layers: element }],
    ['movement under a mask', { criterion: 'movement', policy: 'gradual-mask', layers: element }],
    ['taylor, straight through', { criterion: 'taylor', policy: 'straight-through', layers: unit }],
    ['movement at the end', { criterion: 'movement', policy: 'one-shot', layers: unit }],
    ['2:4', { layers: { 'fc*': { pattern: '2:4' } } }],
    [
      'blocks under a mask',
      { policy: 'gradual-mask', layers: { fc1: { rate: 0.7, pattern: 'block', block: [2, 4] } } },
    ],
    ['units of the whole model by taylor', { scope: 'model', criterion: 'taylor', layers: unit }],
    ['one threshold under a mask', { scope: 'model', policy: 'gradual-mask', layers: element }],
    ['surgery', { policy: 'dynamic-surgery', surgery: { gamma: 0.1 }, layers: element }],
    ['regrowth', { policy: 'rigl', layers: element }],
    ['surgery on units by movement', { policy: 'dynamic-surgery', criterion: 'movement', layers: unit }],
  ])('%s', async (_, settings) => {
    const { run } = await workspace({ compression: { ...common, ...settings } });
    const uninterrupted = await run();
    expect(uninterrupted.state).toBe('finished');
    const resumed = await resume((await run({ stopAfter: 29 })).run);
    expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
    expect(zeros(finalWeights(resumed.run).get('fc1/kernel')!)).toBeGreaterThanOrEqual(40);
  });
});

/** The two executors draw the random numbers of dropout apart. */
const certain = mlp.replace('tf.layers.dropout({ rate: 0.2 }),', '');

test.each([
  ['movement', { criterion: 'movement', layers: element }],
  ['units by taylor', { criterion: 'taylor', layers: unit }],
  ['2:4', { layers: { 'fc*': { pattern: '2:4' } } }],
  ['surgery', { policy: 'dynamic-surgery', layers: element }],
  ['regrowth', { policy: 'rigl', layers: element }],
])('the compiled step prunes what the eager one does: %s', async (_, settings) => {
  const of = async (executor: string) => {
    const { run } = await workspace({
      model: certain,
      compression: { ...common, ...settings },
      training: { ...experiment.training, executor, steps: 30 },
    });
    // The schedule ends where the training does.
    return finalWeights((await run({ overrides: ['compression.schedule.to=30'] })).run);
  };
  const [compiled, eager] = [await of('compiled'), await of('eager')];
  for (const [name, values] of compiled) {
    const other = eager.get(name)!;
    expect([...values.keys()].filter((i) => values[i] === 0)).toEqual([...other.keys()].filter((i) => other[i] === 0));
    // The two sum in different orders, and 30 steps of Adam carry that on.
    values.forEach((value, i) => expect(Math.abs(value - other[i])).toBeLessThan(1e-3));
  }
});

test('the units of an LSTM that go are the same in all gates and both kernels', async () => {
  const { run } = await workspace({
    model: statefulLstm,
    compression: { ...common, layers: { lstm: { rate: 0.5, pattern: 'unit' } } },
  });
  const weights = finalWeights((await run()).run);
  const gone = ['lstm/kernel', 'lstm/recurrent_kernel'].flatMap((name) =>
    [0, 1, 2, 3].map((gate) =>
      Array.from({ length: 8 }, (_, j) => j).filter((j) =>
        weights.get(name)!.every((value, i) => i % 32 !== 8 * gate + j || value === 0),
      ),
    ),
  );
  expect(gone[0]).toHaveLength(4);
  for (const units of gone) expect(units).toEqual(gone[0]);
});

test('what a pruned run has in its log fits its end, for every pattern', async () => {
  for (const [layers, more] of [
    [{ 'fc*': { pattern: '1:3' } }, {}],
    [{ fc1: { rate: 0.7, pattern: 'block', block: [3, 3] } }, {}],
    [unit, { scope: 'model' }],
  ] as const) {
    const { run } = await workspace({ compression: { ...common, ...more, layers } });
    const { run: finished, events } = await run();
    const [{ summary }] = eventsOf(events, 'finished');
    const weights = finalWeights(finished);
    for (const { name, weightsKept, shape } of summary.layers.filter(({ shape: own }) => own.length > 1))
      expect([name, shape, weightsKept]).toEqual([name, shape, weights.get(name)!.length - zeros(weights.get(name)!)]);
  }
});

const frozen = mlp.replace("name: 'fc1',", "name: 'fc1', trainable: false,");

test('a layer that is not trained has no gradient to be pruned by, and the error is at its key', async () => {
  const compression = { ...common, criterion: 'taylor', layers: { fc2: { rate: 0.5 }, fc1: { rate: 0.5 } } };
  const { run } = await workspace({ model: frozen, compression });
  const { message, remedy } = await userErrorOf(() => run());
  expect(message).toMatch(
    /blobs\.deeptwist\.jsonc:\d+:\d+ compression\.layers\.fc1: fc1\/kernel has no gradient to choose by: the model does not train this weight$/,
  );
  expect(remedy).toContain('"magnitude"');
});

test('a layer that is not trained is pruned by its magnitudes', async () => {
  const { run } = await workspace({ model: frozen, compression: { ...common, layers: element } });
  expect((await run()).state).toBe('finished');
});
