/** @file The parts of a training step's loss: as a graph, as numbers of a step, and as a run records them. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { CompiledExecutor } from '../../../../server/compiler/compiledExecutor.ts';
import { withParts, type Program } from '../../../../server/compiler/program.ts';
import { composeLoss, divideLoss, MeanLoss } from '../../../../server/training/objective/loss.ts';
import { compareExecutors } from '../../compiler/compareExecutors.ts';
import { denseGradient } from '../../compiler/denseGradient.ts';
import { functionProgram, randomBatch } from '../../compiler/programs.ts';
import { CLASSES, eventsOf, experiment, FEATURES, workspace } from '../workspace.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const valueOf = (scalar: tf.Scalar) => scalar.dataSync()[0];

describe('A composed loss', () => {
  test('is the sum of its terms in their order, rounded as they are added', () => {
    // 2^24 + 1 + 1 is 2^24 in float32; 2^24 + (1 + 1) would be 2^24 + 2.
    const terms = { data: [tf.scalar(2 ** 24)], regularization: [tf.scalar(1), tf.scalar(1)], distillation: [] };
    const { total, parts } = withParts(composeLoss(terms));
    expect(valueOf(total)).toBe(2 ** 24);
    expect(Object.entries(parts).map(([name, part]) => [name, valueOf(part)])).toEqual([
      ['data', 2 ** 24],
      ['regularization', 2],
    ]);
  });

  test('of one part is that part alone', () => {
    const data = tf.scalar(3);
    expect(composeLoss({ data: [data], regularization: [] })).toBe(data);
  });
});

/** Least squares of a linear layer with two penalties. */
function penalized(): Program {
  const weights = { w: tf.randomNormal([6, 3], 0, 1, 'float32', 1), b: tf.randomNormal([3], 0, 1, 'float32', 2) };
  const program = functionProgram(weights, [{ dtype: 'float32', shape: [6] }], ({ w, b }, [x]) =>
    tf.mean(tf.square(tf.add(tf.matMul(x as tf.Tensor2D, w as unknown as tf.Tensor2D), b))),
  );
  const [w, b] = program.weights.map(({ variable }) => variable);
  return {
    ...program,
    loss: (inputs, targets) =>
      composeLoss({
        data: [withParts(program.loss(inputs, targets)).total],
        regularization: [tf.mul<tf.Scalar>(0.1, tf.sum(tf.square(w))), tf.mul<tf.Scalar>(0.2, tf.sum(tf.abs(b)))],
      }),
  };
}

describe('A step', () => {
  test('gives the parts of its loss compiled as eagerly', async () => {
    const program = penalized();
    await compareExecutors(
      program,
      [1, 2, 3].map((seed) => randomBatch(program, 4, seed)),
    );
  });

  test('has the same loss and gradients to the bit, whether its parts are wanted or not', async () => {
    const program = penalized();
    const unnamed = {
      ...program,
      loss: (...batch: Parameters<Program['loss']>) => withParts(program.loss(...batch)).total,
    };
    const batch = randomBatch(program, 4, 1);
    const options = { batchSize: 4, seed: 1, threads: 1, rowGradients: false, stateBytes: () => 0 };
    const step = async (made: Program) => {
      const executor = await CompiledExecutor.create(made, options);
      const { loss, parts } = await executor.step(batch, 0);
      const gradients = executor.parameters.list.map((parameter) => denseGradient(parameter).slice());
      await executor.dispose();
      return { loss, gradients, parts };
    };
    const [named, alone] = [await step(program), await step(unnamed)];
    expect({ ...named, parts: {} }).toEqual(alone);
    expect(Object.keys(named.parts)).toEqual(['data', 'regularization']);
    expect(named.parts.data + named.parts.regularization).toBeCloseTo(named.loss, 5); // Rounded to float32.
  });
});

test('The mean of a loss and its parts is over the steps that were added', () => {
  const mean = new MeanLoss();
  mean.add(divideLoss({ loss: 6, parts: { data: 4, regularization: 2 }, shares: { asked: 1 } }, 2));
  mean.add({ loss: 5, parts: { data: 4, regularization: 1 }, shares: { asked: 0.5 } });
  expect(mean.steps).toBe(2);
  expect(mean.mean).toEqual({ loss: 4, losses: { data: 3, regularization: 1 }, shares: { asked: 0.75 } });
  const single = new MeanLoss();
  single.add({ loss: 1, parts: {}, shares: {} });
  expect(single.mean).toEqual({ loss: 1 });
});

describe('A run', () => {
  const regularized = `
    import * as tf from '@tensorflow/tfjs';
    const kernelRegularizer = tf.regularizers.l2({ l2: 0.01 });
    export const createModel = () => tf.sequential({ layers: [
      tf.layers.dense({ name: 'fc1', units: 8, inputShape: [FEATURES], activation: 'relu', kernelRegularizer }),
      tf.layers.dense({ name: 'fc2', units: CLASSES, kernelRegularizer }),
    ] });`;

  test.each(['compiled', 'eager'])(
    'of a model with regularizers records the parts of the loss, %s',
    async (executor) => {
      const training = { ...experiment.training, executor, steps: 20 };
      const model = regularized.replace('FEATURES', String(FEATURES)).replace('CLASSES', String(CLASSES));
      const { events } = await (await workspace({ model, training })).run();
      const metrics = eventsOf(events, 'metrics');
      expect(metrics).toHaveLength(20);
      for (const { loss, losses } of metrics) {
        expect(Object.keys(losses!)).toEqual(['data', 'regularization']);
        expect(losses!.regularization).toBeGreaterThan(0);
        expect(losses!.data + losses!.regularization).toBeCloseTo(loss, 5); // Rounded to float32.
      }
    },
  );

  test('of a model without any records the loss alone', async () => {
    const { events } = await (await workspace()).run();
    for (const event of eventsOf(events, 'metrics')) expect(event).not.toHaveProperty('losses');
  });
});
