/**
 * A model of your own. Nothing has to be installed beside this file: `@tensorflow/tfjs` is the one of DeepTwist.
 * The experiment file names this file in "model", and the layers below in "compression".
 */
import * as tf from '@tensorflow/tfjs';

const CLASSES = 10;

/** Called once, at the start of a run. The initial weights depend on "training.seed" alone. */
export function createModel(): tf.LayersModel {
  const pixels = tf.input({ shape: [28, 28, 1] });
  let x = tf.layers.conv2d({ name: 'conv1', filters: 16, kernelSize: 3, strides: 2, activation: 'relu' }).apply(pixels);
  x = tf.layers.conv2d({ name: 'conv2', filters: 32, kernelSize: 3, strides: 2, activation: 'relu' }).apply(x);
  x = tf.layers.flatten().apply(x);
  x = tf.layers.dense({ name: 'hidden', units: 128, activation: 'relu' }).apply(x);
  const logits = tf.layers.dense({ name: 'logits', units: CLASSES }).apply(x) as tf.SymbolicTensor;
  return tf.model({ inputs: pixels, outputs: logits });
}

/**
 * Used with `"loss": "auto"`, the default: cross-entropy with smoothed labels (Szegedy et al. 2016).
 *
 * @param targets class numbers, int32 of shape [batch]
 * @param outputs logits of shape [batch, 10]
 * @returns a scalar, the mean over the batch
 */
export function loss(targets: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
  const smoothing = 0.05;
  const oneHot = tf.cast(tf.oneHot(tf.cast(targets, 'int32'), CLASSES), 'float32');
  const smoothed = tf.add(tf.mul(1 - smoothing, oneHot), smoothing / CLASSES);
  return tf.neg(tf.mean(tf.sum(tf.mul(smoothed, tf.logSoftmax(outputs)), -1)));
}

/** Measured at each evaluation. A metric gives one number a sample, or the mean over the batch. */
export const metrics = {
  accuracy: (targets: tf.Tensor, outputs: tf.Tensor): tf.Tensor =>
    tf.cast(tf.equal(tf.argMax(outputs, -1), tf.cast(targets, 'int32')), 'float32')
};
