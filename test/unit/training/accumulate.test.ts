/** @file Gradient accumulation: several batches make one training step. */
import { describe, expect, test } from 'vitest';
import { userErrorOf } from '../userErrorOf.ts';
import {
  eventsOf,
  experiment,
  finalWeights,
  mlp,
  recordedEvents,
  resume,
  statefulLstm,
  workspace,
} from './workspace.ts';

/** An epoch of the 120 samples has three steps of 40. */
const LARGE = { batchSize: 40 };
const PARTS = { batchSize: 10, accumulate: 4 };
const training = (changes: object) => ({ ...experiment.training, steps: 30, checkpointEvery: 10, ...changes });
const withoutDropout = mlp.replace('tf.layers.dropout({ rate: 0.2 }),', '');
const regularized = withoutDropout
  .replace("activation: 'relu',", "activation: 'relu', kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }),")
  .replace("name: 'fc2',", "name: 'fc2', biasConstraint: tf.constraints.maxNorm({ maxValue: 0.5 }),");
const embedding = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ units: 8, inputShape: [8], kernelInitializer: 'identity', trainable: false }),
    tf.layers.reLU(),
    tf.layers.embedding({ name: 'table', inputDim: 40, outputDim: 4 }),
    tf.layers.flatten(),
    tf.layers.dense({ name: 'fc', units: 3, activation: 'softmax' }),
  ] });
`;
const sgd = { type: 'sgd', learningRate: 0.1, momentum: 0.9 };
const clip = { value: 0.02, globalNorm: 0.05 };
const prune = { method: 'prune', distortEvery: 4, layers: { fc1: { rate: 0.5 } } };

function expectSameWeights(actual: Map<string, Float32Array>, expected: Map<string, Float32Array>, tolerance: number) {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, weights] of expected) {
    const difference = Math.max(...weights.map((weight, i) => Math.abs(weight - actual.get(name)![i])));
    expect(difference, name).toBeLessThanOrEqual(tolerance);
  }
}

describe('a step of four batches is, but for rounding, a step of one batch of all their samples', () => {
  test.each([
    ['dense layers', { model: withoutDropout }, { optimizer: sgd }],
    ['regularizers and constraints', { model: regularized }, { optimizer: sgd }],
    ['clipping, which follows the mean', { model: withoutDropout }, { optimizer: sgd, clip }],
    [
      'a schedule by epochs',
      { model: withoutDropout },
      {
        optimizer: sgd,
        learningRateSchedule: { type: 'after-epoch', epoch: 2, factor: 0.5 },
        steps: undefined,
        epochs: 10,
      },
    ],
    ['a compression', { model: withoutDropout, compression: prune }, { optimizer: sgd }],
    [
      'an embedding, whose gradient would be rows',
      { model: embedding },
      { optimizer: { type: 'sgd', learningRate: 0.1 } },
    ],
    ['the eager executor', { model: withoutDropout }, { optimizer: sgd, executor: 'eager' }],
  ])('%s', async (_, changes, settings) => {
    const [large, parts] = [LARGE, PARTS].map((sizes) =>
      workspace({ ...changes, training: training({ ...settings, ...sizes }) }),
    );
    const expected = await (await large).run();
    const actual = await (await parts).run();
    // Sums in another order: rounding of float32, which 30 steps amplify a little.
    expectSameWeights(finalWeights(actual.run), finalWeights(expected.run), 2e-5);
    const metrics = [actual, expected].map(({ events }) => eventsOf(events, 'metrics'));
    expect(metrics[0]).toHaveLength(metrics[1].length);
    for (const [i, own] of metrics[0].entries()) {
      const { step, epoch, learningRate, loss } = metrics[1][i];
      expect(own).toMatchObject({ step, epoch, learningRate });
      expect(own.loss).toBeCloseTo(loss, 4);
    }
    const steps = [actual, expected].map(({ events }) => eventsOf(events, 'evaluation').map(({ step }) => step));
    expect(steps[0]).toEqual(steps[1]);
    const [ofParts, ofLarge] = [actual, expected].map(({ events }) => eventsOf(events, 'distortion'));
    for (const [i, { lossBefore }] of ofParts.entries())
      expect(lossBefore).toBeCloseTo(Number(ofLarge[i].lossBefore), 4);
  });

  test('a stateful LSTM, whose samples carry their states on', async () => {
    const [large, parts] = await Promise.all([
      workspace({ model: statefulLstm.replace('[10,', '[40,'), training: training({ optimizer: sgd, ...LARGE }) }),
      workspace({ model: statefulLstm, training: training({ optimizer: sgd, ...PARTS }) }),
    ]);
    const [expected, actual] = [await large.run(), await parts.run()];
    expectSameWeights(finalWeights(actual.run), finalWeights(expected.run), 2e-5);
  });
});

test.each([
  ['dropout', { model: mlp }],
  ['a compression', { model: mlp, compression: prune }],
  ['a stateful LSTM', { model: statefulLstm }],
])('a run of several batches a step that is stopped and resumed ends as if it had not been: %s', async (_, changes) => {
  const { run } = await workspace({ ...changes, training: training(PARTS) });
  const uninterrupted = await run();
  const stopped = await run({ stopAfter: 14 });
  const resumed = await resume(stopped.run);
  expect(resumed.state).toBe('finished');
  expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
  const losses = (events: typeof uninterrupted.events) => eventsOf(events, 'metrics').map(({ loss }) => loss);
  expect(losses(await recordedEvents(resumed.run))).toEqual(losses(uninterrupted.events));
});

test('the batches of a step drop other units each', async () => {
  const { run } = await workspace({ training: training({ ...PARTS, steps: 1 }) });
  const once = await run({ overrides: ['training.accumulate=1'] });
  const twelve = await run({ overrides: ['training.accumulate=12'] });
  const mean = eventsOf(twelve.events, 'metrics')[0].loss;
  expect(mean).not.toBe(eventsOf(once.events, 'metrics')[0].loss);
});

test('a step that needs more samples than there are is refused, with the numbers', async () => {
  const { run } = await workspace();
  const error = await userErrorOf(() => run({ overrides: ['training.accumulate=13'] }));
  expect(error.message).toMatch(
    /training\.accumulate: there are only 120 training samples, and a step of 13 batches of 10 takes 130/,
  );
  expect(error.remedy).toBe('Choose a smaller batch size, or fewer batches.');
});

test.each(['0', '2.5', '65537', '"four"'])('training.accumulate=%s is refused', async (value) => {
  const { run } = await workspace();
  const error = await userErrorOf(() => run({ overrides: [`training.accumulate=${value}`] }));
  expect(error.message).toContain(`training.accumulate: expected an integer from 1 to 65536, got ${value}`);
});
