/** @file Sparse variational dropout in whole runs, from the experiment file to the stored model. */
import { describe, expect, test } from 'vitest';
import { evaluateRun } from '../../../server/training/index.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, experiment, finalWeights, mlp, recordedEvents, resume, workspace } from './workspace.ts';

const compression = {
  method: 'prune',
  policy: 'variational-dropout',
  distortEvery: 10,
  layers: { 'fc*': {} },
  variationalDropout: { logVariance: -4 },
  schedule: { from: 5, to: 40 },
};
const place = (changes: object = {}, training: object = {}) =>
  workspace({
    compression: { ...compression, ...changes },
    training: { ...experiment.training, ...training },
  });
const zeros = (values: Float32Array) => values.filter((value) => value === 0).length;

test.each(['compiled', 'eager'])('a run finds weights that are noise, and makes them zero: %s', async (executor) => {
  const optimizer = { type: 'adam', learningRate: 0.02 };
  const { run } = await place({}, { executor, steps: 400, optimizer });
  const { run: finished, events, state } = await run();
  expect(state).toBe('finished');
  const weights = finalWeights(finished);
  // The variances are no part of the model.
  expect([...weights.keys()]).toEqual(['fc1/kernel', 'fc1/bias', 'fc2/kernel', 'fc2/bias']);
  const [{ summary }] = eventsOf(events, 'finished');
  const kept = 128 + 48 - zeros(weights.get('fc1/kernel')!) - zeros(weights.get('fc2/kernel')!);
  expect(kept).toBeLessThan(100);
  expect(summary.layers.filter(({ name }) => name.endsWith('kernel')).map(({ weightsKept }) => weightsKept)).toEqual([
    128 - zeros(weights.get('fc1/kernel')!),
    48 - zeros(weights.get('fc2/kernel')!),
  ]);
  expect(summary.test).toBeGreaterThan(0.85);
  const metrics = eventsOf(events, 'metrics');
  expect(metrics[0].losses!.divergence).toBe(0);
  expect(metrics.at(-1)!.losses!.divergence).toBeGreaterThan(0);
  expect((await evaluateRun({ run: finished })).value).toBe(summary.test);
});

test.each<[string, object, object]>([
  ['compiled', {}, {}],
  ['eager', {}, { executor: 'eager', steps: 40 }],
  ['with momentum', {}, { optimizer: { type: 'sgd', learningRate: 0.05, momentum: 0.9 } }],
])('a run that is stopped and resumed ends as if it had not been: %s', async (_, changes, training) => {
  const { run } = await place(changes, training);
  const whole = await run();
  const stopped = await run({ stopAfter: 29 });
  const resumed = await resume(stopped.run);
  expect(resumed.state).toBe('finished');
  expect(finalWeights(resumed.run)).toEqual(finalWeights(whole.run));
  const losses = (events: Parameters<typeof eventsOf>[0]) => eventsOf(events, 'metrics').map(({ loss }) => loss);
  expect(losses(await recordedEvents(resumed.run))).toEqual(losses(whole.events));
});

test('what an evaluation sees is recorded while the run trains', async () => {
  const { run } = await workspace({
    compression,
    training: { ...experiment.training, steps: 200, optimizer: { type: 'adam', learningRate: 0.02 } },
    observe: { every: 40 },
  });
  const { events } = await run();
  const observations = eventsOf(events, 'observation');
  expect(observations.map(({ step, scheduled }) => [step, scheduled])).toEqual(
    [5, 45, 85, 125, 165].map((step) => [step, true]),
  );
  const [{ histogram, setting, size }] = observations.at(-1)!.weights;
  expect(setting).toEqual({});
  expect(histogram.zerosBefore).toBe(0);
  expect(histogram.zerosAfter).toBeGreaterThan(0);
  expect(size?.weightsKept).toBe(128 - histogram.zerosAfter);
});

describe('is refused at its place', () => {
  const refused = async (changes: object, training: object = {}) =>
    (await userErrorOf(async () => (await place(changes, training)).run())).message;

  test.each<[object, string]>([
    [{ layers: { fc1: { rate: 0.5 } } }, 'compression.layers.fc1.rate: "variational-dropout" finds by training'],
    [
      { layers: { fc1: { pattern: '2:4' } } },
      'compression.layers.fc1.pattern: "variational-dropout" finds by training',
    ],
    [{ criterion: 'taylor' }, 'compression.criterion: "variational-dropout" finds by training'],
    [{ scope: 'model' }, 'compression.scope: "variational-dropout" finds by training'],
    [
      { variationalDropout: { logVariance: 1 } },
      'compression.variationalDropout.logVariance: expected a number in [-20, 0]',
    ],
    [
      { variationalDropout: { threshold: 9 } },
      'compression.variationalDropout.threshold: expected a number in [-8, 8]',
    ],
    [
      { policy: 'deeptwist' },
      'compression.variationalDropout: belongs to the policy "variational-dropout"; leave it out',
    ],
    [{ layers: { fc9: {} } }, 'compression.layers.fc9: matches no layer'],
  ])('%j', async (changes, message) => {
    expect(await refused(changes)).toContain(message);
  });

  test('weight decay', async () => {
    const optimizer = { type: 'adam', learningRate: 0.01, weightDecay: 1e-4 };
    expect(await refused({}, { optimizer })).toContain(
      'training.optimizer.weightDecay: "variational-dropout" has a prior of its own',
    );
  });

  test('a rate that is missing under another policy', async () => {
    expect(await refused({ policy: 'gradual-mask', variationalDropout: undefined })).toContain(
      'compression.layers.fc*.rate: missing: expected a number in [0, 1)',
    );
  });

  test('a layer that is not trained', async () => {
    const frozen = mlp.replace("name: 'fc1',", "name: 'fc1', trainable: false,");
    const { run } = await workspace({ model: frozen, compression });
    expect((await userErrorOf(run)).message).toContain('the variance of fc1/kernel cannot be trained');
  });
});
