/**
 * @file Alpha dropout (Klambauer et al. 2017), which keeps mean and variance. TensorFlow.js (4.22) subtracts what it has to add: with a
 * rate of 0.3, numbers of mean 0 and variance 1 get the mean 0.9.
 */
import * as tf from '@tensorflow/tfjs';
import { nestedLayers } from '../compiler/trace/statefulLayers.ts';

/** Value that SELU saturates to. */
const SATURATED = -1.7580993408473768;

interface AlphaDropout {
  readonly rate: number;
  readonly noiseShape?: number[] | null;
  call: (inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }) => tf.Tensor | tf.Tensor[];
}

/** Makes the alpha dropouts of a model, those in nested models included, compute what the paper and Keras do. */
export function correctAlphaDropouts(model: tf.LayersModel): void {
  for (const layer of nestedLayers(model.layers)) {
    if (layer.getClassName() !== 'AlphaDropout') continue;
    const dropout = layer as unknown as AlphaDropout;
    const inferring = dropout.call.bind(dropout);
    dropout.call = (inputs, kwargs) =>
      kwargs.training && dropout.rate > 0 && dropout.rate < 1
        ? tf.tidy(() => alphaDropout([inputs].flat()[0], dropout))
        : inferring(inputs, kwargs);
  }
}

function alphaDropout(x: tf.Tensor, { rate, noiseShape }: AlphaDropout): tf.Tensor {
  const kept = tf.cast(tf.greaterEqual(tf.randomUniform(noiseShape ?? x.shape), rate), 'float32');
  const mixed = tf.add(tf.mul(x, kept), tf.mul(tf.sub(1, kept), SATURATED));
  // Affine, so that mean 0 and variance 1 stay.
  const a = ((1 - rate) * (1 + rate * SATURATED ** 2)) ** -0.5;
  return tf.add(tf.mul(mixed, a), -a * rate * SATURATED);
}
