/**
 * @file A training step (forward, backward, Adam) in `@tensorflow/tfjs-node`, the usual way: its layers, its optimizer's
 * `minimize`. Arguments: model, threads (read by libtensorflow from the environment), {@link Batches} as JSON.
 */
import { createRequire } from 'node:module';
import type * as tfjs from '@tensorflow/tfjs';
import { pixels, readBatches, type Batches } from '../batches.ts';
import { serveSteps } from './serveSteps.ts';

// This file is bundled into the folder where tfjs-node was built; the checkout itself has no such package.
const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node') as typeof tfjs;

const models = {
  'lenet-300-100': () =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [pixels], units: 300, activation: 'relu' }),
        tf.layers.dense({ units: 100, activation: 'relu' }),
        tf.layers.dense({ units: 10 }),
      ],
    }),
  'lenet-5': () =>
    tf.sequential({
      layers: [
        tf.layers.reshape({ inputShape: [pixels], targetShape: [28, 28, 1] }),
        tf.layers.conv2d({ filters: 20, kernelSize: 5 }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.conv2d({ filters: 50, kernelSize: 5 }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 500, activation: 'relu' }),
        tf.layers.dense({ units: 10 }),
      ],
    }),
};

const [name, threads, written] = process.argv.slice(2);
const made = JSON.parse(written) as Batches;
const { inputs, targets } = readBatches(made);
const batches = inputs.map((images, batch) => ({
  inputs: tf.tensor2d(images, [made.size, pixels]),
  targets: tf.oneHot(tf.tensor1d(targets[batch], 'int32'), 10),
}));

const model = models[name as keyof typeof models]();
const optimizer = tf.train.adam(1e-3);
const description = { version: tf.version.tfjs, backend: tf.getBackend(), threads: Number(threads) };

await serveSteps(description, (index) => {
  const { inputs, targets } = batches[index % batches.length];
  tf.tidy(() => {
    optimizer.minimize(() => {
      const logits = model.apply(inputs, { training: true }) as tfjs.Tensor2D;
      return tf.losses.softmaxCrossEntropy(targets, logits);
    });
  });
});
