/**
 * The networks of Polino, Pascanu & Alistarh 2018 ("Model compression via distillation and quantization", section 5): convolutions, then
 * dense layers, as in the authors' code. Each of them is followed by ReLU, then batch normalization, then maybe max-pooling, then maybe
 * dropout. Their code also has ReLU on the logits, by which a class with a logit below 0 gets no gradient; here it is left out.
 */
import * as tf from '@tensorflow/tfjs';

export interface Network {
  /** Filters of the convolutions, which are named conv1, conv2, … */
  filters: number[];
  /** Side of their kernels. */
  kernelSize: number;
  /** Numbers of the convolutions with max-pooling behind them, from 1. */
  pooled: number[];
  /** Units of the dense layers, named fc1, fc2, …; the last layer, logits, comes behind them. */
  units: number[];
  /** Rates of dropout behind layers: { conv2: 0.2 }. A convolution drops whole channels. */
  dropout?: Record<string, number>;
}

interface Context {
  inputShape: number[];
  /** Classes of the images. */
  classes: number;
}

export function network(
  { filters, kernelSize, pooled, units, dropout = {} }: Network,
  { inputShape, classes }: Context
): tf.LayersModel {
  // Glorot & Bengio 2010, equation 16; tfjs would take a normal distribution.
  const kernelInitializer = 'glorotUniform';
  const pixels = tf.input({ shape: inputShape });
  let x: tf.SymbolicTensor = pixels;
  const then = (layer: tf.layers.Layer) => (x = layer.apply(x) as tf.SymbolicTensor);
  filters.forEach((count, index) => {
    const name = `conv${index + 1}`;
    then(
      tf.layers.conv2d({ name, filters: count, kernelSize, padding: 'same', activation: 'relu', kernelInitializer })
    );
    then(tf.layers.batchNormalization({ name: `${name}_norm`, momentum: 0.9, epsilon: 1e-5 }));
    if (pooled.includes(index + 1)) then(tf.layers.maxPooling2d({ poolSize: 2, strides: 2 }));
    // One decision for all pixels of a channel.
    if (name in dropout) then(tf.layers.dropout({ rate: dropout[name], noiseShape: [null, 1, 1, count] as number[] }));
  });
  then(tf.layers.flatten());
  units.forEach((count, index) => {
    const name = `fc${index + 1}`;
    then(tf.layers.dense({ name, units: count, activation: 'relu', kernelInitializer }));
    then(tf.layers.batchNormalization({ name: `${name}_norm`, momentum: 0.9, epsilon: 1e-5 }));
    if (name in dropout) then(tf.layers.dropout({ rate: dropout[name] }));
  });
  const logits = tf.layers.dense({ name: 'logits', units: classes, kernelInitializer }).apply(x) as tf.SymbolicTensor;
  return tf.model({ inputs: pixels, outputs: logits });
}
