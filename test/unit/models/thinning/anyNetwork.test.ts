import fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { Random } from '../../../../server/formats/random.ts';
import { modelWeights } from '../../../../server/models/modelWeights.ts';
import { difference, randomize, thinned } from './thinned.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const { layers } = tf;

/** A step of a network of images, or of one of vectors. */
type Step = (signal: tf.SymbolicTensor) => tf.SymbolicTensor;
const one = (layer: tf.layers.Layer) => (signal: tf.SymbolicTensor) => layer.apply(signal) as tf.SymbolicTensor;
const both = (layer: tf.layers.Layer, first: tf.SymbolicTensor, second: tf.SymbolicTensor) =>
  layer.apply([first, second]) as tf.SymbolicTensor;

const activation = fc.constantFrom(
  'relu' as const,
  'tanh' as const,
  'sigmoid' as const,
  'linear' as const,
  'elu' as const,
);
const padding = fc.constantFrom('same' as const, 'valid' as const);
const size = fc.integer({ min: 1, max: 5 });

const imageSteps: fc.Arbitrary<() => Step> = fc.oneof(
  fc
    .record({ filters: size, kernelSize: fc.integer({ min: 1, max: 3 }), padding, activation, useBias: fc.boolean() })
    .map((settings) => () => one(layers.conv2d(settings))),
  fc
    .record({ kernelSize: fc.constant(2), depthMultiplier: fc.integer({ min: 1, max: 2 }), padding, activation })
    .map((settings) => () => one(layers.depthwiseConv2d(settings))),
  fc
    .record({ filters: size, kernelSize: fc.constant(2), padding, activation })
    .map((settings) => () => one(layers.separableConv2d(settings))),
  fc.constant(() => one(layers.batchNormalization())),
  fc.constant(() => one(layers.reLU())),
  fc.constant(() => one(layers.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same' }))),
  fc.constant(() => one(layers.averagePooling2d({ poolSize: 2, strides: 1 }))),
  fc.constant(() => one(layers.zeroPadding2d({ padding: 1 }))),
  // A residual block.
  fc
    .record({ activation, kernelSize: fc.constantFrom(1, 3) })
    .map(({ kernelSize, ...settings }) => () => (signal: tf.SymbolicTensor) => {
      const filters = signal.shape.at(-1)!;
      const inner = one(layers.conv2d({ filters: 3, kernelSize, padding: 'same', ...settings }))(signal);
      return both(layers.add(), signal, one(layers.conv2d({ filters, kernelSize, padding: 'same' }))(inner));
    }),
  fc.record({ filters: size, activation }).map((settings) => () => (signal: tf.SymbolicTensor) => {
    const branches = [1, 3].map((kernelSize) =>
      one(layers.conv2d({ ...settings, kernelSize, padding: 'same' }))(signal),
    );
    return both(layers.concatenate(), branches[0], branches[1]);
  }),
);

const vectorSteps: fc.Arbitrary<() => Step> = fc.oneof(
  fc.record({ units: size, activation, useBias: fc.boolean() }).map((settings) => () => one(layers.dense(settings))),
  fc.constant(() => one(layers.batchNormalization())),
  fc.constant(() => one(layers.dropout({ rate: 0.5 }))),
  fc.record({ units: size, activation }).map((settings) => () => {
    const shared = layers.dense(settings);
    const last = layers.dense(settings);
    return (signal: tf.SymbolicTensor) => both(layers.maximum(), one(last)(one(shared)(signal)), one(shared)(signal));
  }),
  fc.record({ units: size }).map((settings) => () => (signal: tf.SymbolicTensor) => {
    const sequence = one(layers.repeatVector({ n: 3 }))(signal);
    return one(layers.lstm({ ...settings, recurrentInitializer: 'zeros' }))(sequence);
  }),
);

const network = fc.record({
  images: fc.array(imageSteps, { maxLength: 4 }),
  vectors: fc.array(vectorSteps, { maxLength: 4 }),
  isPooled: fc.boolean(),
  seed: fc.nat(10_000),
  /** Part of the columns of a kernel, and of the biases, that are 0. */
  zeros: fc.constantFrom(0.3, 0.6, 0.9),
});

/** Makes columns of kernels 0, rows of some, and biases. */
function prune(model: tf.LayersModel, seed: number, zeros: number): void {
  const random = new Random(seed, 1);
  for (const { variable, shape, weight } of modelWeights(model)) {
    if (weight === 'moving_variance' || weight === 'moving_mean') continue;
    const columns = shape.at(-1)!;
    const isZero = Array.from({ length: columns }, () => random.uniform() < zeros * (weight === 'gamma' ? 0.3 : 1));
    const values = Float32Array.from(variable.dataSync());
    variable.assign(
      tf.tensor(
        values.map((value, index) => (isZero[index % columns] ? 0 : value)),
        shape,
      ),
    );
  }
}

test('puts out the same without the units that can be removed, and has none left to remove', async () => {
  let removed = 0;
  await fc.assert(
    fc.asyncProperty(network, async ({ images, vectors, isPooled, seed, zeros }) => {
      const input = tf.input({ shape: [6, 6, 2] });
      const image = images.reduce((signal, step) => step()(signal), input);
      const flat = one(isPooled ? layers.globalMaxPooling2d({}) : layers.flatten())(image);
      const vector = vectors.reduce((signal, step) => step()(signal), flat);
      const model = tf.model({ inputs: input, outputs: one(layers.dense({ units: 3 }))(vector) });
      randomize(model, seed);
      prune(model, seed, zeros);
      const { small, report, left } = await thinned(model);
      removed += Object.keys(left).length;
      // Sums of hundreds of products through up to nine layers.
      expect(difference(model, small)).toBeLessThan(2e-5);
      expect(report.parameters.after).toBe(modelWeights(small).reduce((sum, { variable }) => sum + variable.size, 0));
      for (const { units } of report.layers) expect(units?.after ?? 1).toBeGreaterThan(0);
      expect((await thinned(small)).left).toEqual({});
      model.dispose();
    }),
    { numRuns: 60 },
  );
  expect(removed).toBeGreaterThan(30);
});
