import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import { createOptimizer } from '../../../server/optimizers/optimizer.ts';
import { stateBytesOf } from './stateBytes.ts';
import type { OptimizerConfig } from '../../../server/protocol/experiment/schema.ts';
import { randomNumbers } from './random.ts';

const LEARNING_RATE = 0.05;
const STEPS = 25;
/**
 * Tolerance of parameters of about 1 after 25 updates in float32, in another order of operations. TensorFlow.js computes 1 - beta2^t
 * in float32, where 1 - 0.999 has a relative error of 5e-5; hence the wider one.
 */
const TOLERANCE = 2e-6;
const ADAM_TOLERANCE = 2e-5;

const adam = {
  type: 'adam',
  learningRate: LEARNING_RATE,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-7,
  weightDecay: 0,
} as const;
const rmsprop = {
  type: 'rmsprop',
  learningRate: LEARNING_RATE,
  decay: 0.9,
  momentum: 0,
  epsilon: 1e-7,
  centered: false,
  weightDecay: 0,
} as const;
const sgd = { type: 'sgd', learningRate: LEARNING_RATE, momentum: 0, nesterov: false, weightDecay: 0 } as const;

const cases: { name: string; config: OptimizerConfig; theirs: () => tf.Optimizer; tolerance: number }[] = [
  { name: 'tf.train.sgd', config: sgd, theirs: () => tf.train.sgd(LEARNING_RATE), tolerance: TOLERANCE },
  {
    name: 'tf.train.momentum',
    config: { ...sgd, momentum: 0.9 },
    theirs: () => tf.train.momentum(LEARNING_RATE, 0.9),
    tolerance: TOLERANCE,
  },
  {
    name: "tf.train.momentum with Nesterov's momentum",
    config: { ...sgd, momentum: 0.9, nesterov: true },
    theirs: () => tf.train.momentum(LEARNING_RATE, 0.9, true),
    tolerance: TOLERANCE,
  },
  { name: 'tf.train.adam', config: adam, theirs: () => tf.train.adam(LEARNING_RATE), tolerance: ADAM_TOLERANCE },
  {
    name: 'tf.train.adam with a large epsilon',
    config: { ...adam, beta1: 0.8, beta2: 0.9, epsilon: 0.1 },
    theirs: () => tf.train.adam(LEARNING_RATE, 0.8, 0.9, 0.1),
    tolerance: ADAM_TOLERANCE,
  },
  {
    name: 'tf.train.rmsprop',
    config: rmsprop,
    theirs: () => tf.train.rmsprop(LEARNING_RATE, 0.9),
    tolerance: TOLERANCE,
  },
  {
    name: 'tf.train.rmsprop with momentum and a large epsilon',
    config: { ...rmsprop, momentum: 0.7, epsilon: 0.1 },
    theirs: () => tf.train.rmsprop(LEARNING_RATE, 0.9, 0.7, 0.1),
    tolerance: TOLERANCE,
  },
  {
    // A negative epsilon gives TensorFlow.js, which takes the root of s - (b^2 + epsilon), the formula of TensorFlow.
    name: 'tf.train.rmsprop, centered, with momentum',
    config: { ...rmsprop, momentum: 0.7, centered: true, epsilon: 0.01 },
    theirs: () => tf.train.rmsprop(LEARNING_RATE, 0.9, 0.7, -0.01, true),
    tolerance: TOLERANCE,
  },
  {
    name: 'tf.train.adagrad',
    config: { type: 'adagrad', learningRate: LEARNING_RATE, initialAccumulator: 0.1, epsilon: 1e-7, weightDecay: 0 },
    theirs: () => tf.train.adagrad(LEARNING_RATE, 0.1),
    tolerance: TOLERANCE,
  },
];

describe('An optimizer', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it.each(cases)('has the parameters of $name after 25 steps', ({ config, theirs, tolerance }) => {
    const random = randomNumbers(7);
    const lengths = [37, 8, 1];
    const arena = new Arena(stateBytesOf(config, lengths) + 10_000);
    const trainables = lengths.map((length, i) => ({
      name: `w${i}`,
      value: arena.float32(length),
      gradient: arena.float32(length),
    }));
    for (const { value } of trainables) value.forEach((_, i) => (value[i] = random()));
    const variables = trainables.map(({ name, value }) => tf.variable(tf.tensor1d(value.slice()), true, name));
    const ours = createOptimizer(config, undefined, trainables);
    const reference = theirs();

    for (let step = 0; step < STEPS; step++) {
      for (const { gradient } of trainables) gradient.forEach((_, i) => (gradient[i] = random()));
      reference.applyGradients(
        variables.map(({ name }, i) => ({ name, tensor: tf.tensor1d(trainables[i].gradient.slice()) })),
      );
      ours.step(LEARNING_RATE);
    }

    expect(ours.iterations).toBe(STEPS);
    trainables.forEach(({ value }, i) =>
      expect(largestDifference(value, variables[i].dataSync())).toBeLessThan(tolerance),
    );
    tf.disposeVariables();
  });
});

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));
}
