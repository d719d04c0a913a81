/** @file Sparse variational dropout in a training step: the divergence by its oracle values, and the noise by its mean and variance. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { CompiledExecutor } from '../../../../server/compiler/compiledExecutor.ts';
import { EagerExecutor } from '../../../../server/compiler/eagerExecutor.ts';
import type { StepBatch } from '../../../../server/compiler/program.ts';
import { noiseNames } from '../../../../server/compression/stored/storedWeights.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { experimentSchema } from '../../../../server/protocol/experiment/schema.ts';
import { modelProgram } from '../../../../server/training/modelProgram.ts';
import { createNoise, divergenceOf } from '../../../../server/training/objective/variationalNoise.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

// Computed with numpy from the formula.
const DIVERGENCES: readonly [logAlpha: number, divergence: number][] = [
  [-8, 4.635899],
  [-4, 2.634208],
  [-2, 1.540533],
  [0, 0.431239],
  [1, 0.17797],
  [3, 0.02542],
  [8, 0.000168],
];

describe('The divergence from the log-uniform prior', () => {
  test.each(DIVERGENCES)('at log alpha %d is %d', (logAlpha, expected) => {
    for (const mean of [1, -0.5])
      expect(
        divergenceOf(tf.tensor1d([mean]), tf.tensor1d([logAlpha + Math.log(mean ** 2)])).dataSync()[0],
      ).toBeCloseTo(expected, 5);
  });

  test('is summed over the numbers of a weight', () => {
    const variances = tf.tensor2d([DIVERGENCES.slice(0, 2).map(([logAlpha]) => logAlpha)]);
    expect(divergenceOf(tf.ones([1, 2]), variances).dataSync()[0]).toBeCloseTo(4.635899 + 2.634208, 5);
  });

  test('has the gradient of the formula in mean and variance, and none beyond log alpha of 8', () => {
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    const slope = (logAlpha: number) => {
      const s = sigmoid(1.8732 + 1.48695 * logAlpha);
      return -0.63576 * 1.48695 * s * (1 - s) - 0.5 / (1 + Math.exp(logAlpha));
    };
    const logAlphas = [-6, -1, 0.5, 2, 9, -9];
    const mean = 0.3;
    const [ofMean, ofVariance] = tf.grads((means: tf.Tensor, variances: tf.Tensor) => divergenceOf(means, variances))([
      tf.fill([6], mean),
      tf.tensor1d(logAlphas.map((logAlpha) => logAlpha + Math.log(mean ** 2))),
    ]);
    logAlphas.forEach((logAlpha, i) => {
      const expected = Math.abs(logAlpha) > 8 ? 0 : slope(logAlpha);
      expect(ofVariance.dataSync()[i]).toBeCloseTo(expected, 5);
      expect(ofMean.dataSync()[i]).toBeCloseTo((-2 / mean) * expected, 4);
    });
  });
});

const SAMPLES = 4000;
const PIXELS = [0.5, -1, 2, 0.25];
const KERNEL = [0.4, 0.1, -0.3, 0.8];
const LOG_VARIANCES = [-1, -3, -2, 0.5];
const BIAS = 0.2;

/** A model whose one output for each sample is a product of 4 inputs and 4 weights; the same sample many times. */
function programOf(model: tf.Sequential, shape: number[]) {
  const weights = modelWeights(model);
  model.setWeights([tf.tensor(KERNEL, weights[0].shape), tf.tensor1d([BIAS])]);
  const noise = createNoise(model, weights, [{ weight: weights[0], path: ['compression'], logVariance: -2 }], 50)!;
  noise.weights[0].variable.assign(tf.tensor(LOG_VARIANCES, weights[0].shape));
  const { training } = experimentSchema.parse({
    model: './model.ts',
    data: { type: 'mnist', path: '.' },
    training: {
      optimizer: { type: 'adam' },
      batchSize: SAMPLES,
      steps: 1,
      loss: 'mean-squared-error',
    },
  });
  const data = { inputs: [{ shape, dtype: 'float32' as const }], targets: [{ shape: [1], dtype: 'float32' as const }] };
  return modelProgram({ model, files: [] }, data, training, { noise });
}

const batch: StepBatch = {
  size: SAMPLES,
  inputs: [Float32Array.from({ length: 4 * SAMPLES }, (_, i) => PIXELS[i % 4])],
  targets: [new Float32Array(SAMPLES)],
};

const dense = () => tf.sequential({ layers: [tf.layers.dense({ name: 'fc', units: 1, inputShape: [4] })] });
const convolution = () => {
  const conv2d = tf.layers.conv2d({ name: 'fc', filters: 1, kernelSize: 2, inputShape: [2, 2, 1] });
  return tf.sequential({ layers: [conv2d, tf.layers.flatten()] });
};

describe.each([
  ['a dense layer', dense, [4]],
  ['a convolution', convolution, [2, 2, 1]],
] as const)('The output of %s', (_, make, shape) => {
  const mean = PIXELS.reduce((sum, pixel, i) => sum + pixel * KERNEL[i], BIAS);
  const variances = PIXELS.map((pixel, i) => pixel ** 2 * Math.exp(LOG_VARIANCES[i]));
  const variance = variances.reduce((a, b) => a + b);
  const [kernel, logVariance, divergenceWeight] = [
    'fc/kernel',
    noiseNames.logVariance('fc/kernel'),
    noiseNames.divergenceWeight('fc/kernel'),
  ];

  test.each(['compiled', 'eager'] as const)(
    'is normal with the mean and the variance of the formula, %s',
    async (kind) => {
      const program = programOf(make(), [...shape]);
      const options = { batchSize: SAMPLES, seed: 7, threads: 1, rowGradients: false, stateBytes: () => 0 };
      const executor =
        kind === 'compiled'
          ? await CompiledExecutor.create(program, options)
          : new EagerExecutor(program, { backend: 'cpu', seed: 7, stateBytes: () => 0 });
      const { byName } = executor.parameters;
      const gradientOf = (name: string) => byName.get(name)!.gradient as Float32Array;
      const { loss, parts } = await executor.step(batch, 0);
      // The mean of z^2. Its standard deviation over 4,000 samples is sqrt(2 v^2 + 4 m^2 v) / 63: 5 of them.
      const uncertainty = (5 * Math.sqrt(2 * variance ** 2 + 4 * mean ** 2 * variance)) / Math.sqrt(SAMPLES);
      expect(Math.abs(parts.data - mean ** 2 - variance)).toBeLessThan(uncertainty);
      expect(parts.divergence).toBe(0);
      expect(loss).toBeCloseTo(parts.data, 5);
      // d E[z^2] / d theta = 2 m a, and d / d log sigma^2 = a^2 sigma^2.
      PIXELS.forEach((pixel, i) => {
        const ofMean = Math.abs(gradientOf(kernel)[i] - 2 * mean * pixel);
        expect(ofMean).toBeLessThan((5 * 2 * Math.abs(pixel) * Math.sqrt(variance)) / Math.sqrt(SAMPLES));
        const ofVariance = Math.abs(gradientOf(logVariance)[i] - variances[i]);
        // The bound is for eps^2 + eps m / sqrt(v), with the deviation sqrt(2 + m^2 / v).
        expect(ofVariance).toBeLessThan((5 * variances[i] * Math.sqrt(2 + mean ** 2 / variance)) / Math.sqrt(SAMPLES));
      });
      // Drawn anew at each step, and the same again at the same step.
      const [other, again] = [await executor.step(batch, 1), await executor.step(batch, 0)];
      expect(other.loss).not.toBe(loss);
      expect(again.loss).toBe(loss);

      // The divergence counts as much as it is told to, over the samples that there are.
      byName.get(divergenceWeight)!.value[0] = 0.5;
      const weighed = await executor.step(batch, 0);
      const divergence = divergenceOf(tf.tensor1d(KERNEL), tf.tensor1d(LOG_VARIANCES)).dataSync()[0];
      expect(weighed.parts.divergence).toBeCloseTo((0.5 * divergence) / 50, 5);

      const evaluated = await executor.evaluate(batch);
      expect(evaluated.loss).toBeCloseTo(mean ** 2, 5);
      await executor.dispose();
    },
  );
});

describe('Noise is drawn in training and nowhere else, in', () => {
  const inner = () => tf.sequential({ layers: [tf.layers.dense({ name: 'inner', units: 2, inputShape: [3] })] });
  test.each<[string, () => tf.layers.Layer, number[]]>([
    ['a model within a model', inner, [3]],
    [
      'a layer that is called at each time step',
      () => tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2 }) }),
      [4, 3],
    ],
    [
      'a convolution along time',
      () => tf.layers.conv1d({ filters: 2, kernelSize: 2, strides: 2, activation: 'relu' }),
      [4, 3],
    ],
    [
      'an activation that is no fused kernel',
      () => tf.layers.dense({ units: 2, activation: 'tanh', useBias: false }),
      [3],
    ],
  ])('%s', (_, make, shape) => {
    const input = tf.input({ shape });
    const model = tf.model({ inputs: input, outputs: make().apply(input) as tf.SymbolicTensor });
    const weights = modelWeights(model);
    const x = tf.ones([5, ...shape]);
    const outputs = (training: boolean) => [...(model.apply(x, { training }) as tf.Tensor).dataSync()];
    const before = outputs(false);
    const kernels = weights.filter(({ weight }) => weight === 'kernel');
    const noisy = kernels.map((weight) => ({ weight, path: ['compression'], logVariance: 0 }));
    const noise = createNoise(model, weights, noisy, 50)!;
    expect(outputs(false)).toEqual(before);
    const noisyOutputs = outputs(true);
    expect(noisyOutputs).not.toEqual(before);
    expect(outputs(true)).not.toEqual(noisyOutputs);
    // Without a variance, what is left is the floor of the deviation, 1e-4.
    for (const { weight, variable } of noise.weights)
      if (weight === 'log-variance') variable.assign(tf.fill(variable.shape, -40));
    outputs(true).forEach((value, i) => expect(Math.abs(value - before[i])).toBeLessThan(1e-3));
  });
});

test('Noise needs to know how many samples the weights are learned from', () => {
  const model = dense();
  const [weight] = modelWeights(model);
  const noisy = [{ weight, path: ['compression'], logVariance: -8 }];
  expect(() => createNoise(model, modelWeights(model), noisy, undefined)).toThrow(
    'compression.policy: the number of training samples is unknown',
  );
  expect(createNoise(model, modelWeights(model), [], undefined)).toBeUndefined();
});
