/**
 * @file The gradient of tf.tile (and with it of broadcastTo, repeatVector and layerNormalization) as one sum. TensorFlow.js adds up
 * one slice a copy, thousands of them for a layer normalization of sequences.
 */
import * as tf from '@tensorflow/tfjs';

const gradient: tf.GradConfig = {
  kernelName: 'Tile',
  inputsToSave: ['x'],
  gradFunc(dy, [x], attributes) {
    const { reps } = attributes as unknown as tf.TileAttrs;
    // [copies, size, copies, size, …]
    const apart = x.shape.flatMap((size, axis) => [reps[axis], size]);
    const copies = x.shape.map((_, axis) => 2 * axis);
    return { x: () => tf.reshape(tf.sum(tf.reshape(dy as tf.Tensor, apart), copies), x.shape) };
  },
};

/** Lets TensorFlow.js take this gradient while `run` runs. */
export function withTileGradient<R>(run: () => R): R {
  const original = tf.getGradient('Tile');
  tf.registerGradient(gradient);
  try {
    return run();
  } finally {
    tf.registerGradient(original);
  }
}
