/**
 * A model to begin with. An experiment file names this file in "model". It is yours: change the layers, or replace them.
 *
 * createModel is called with what the experiment and its data say: the sizes of a sample, the number of classes, the batch size.
 * Layers that are to be compressed need names.
 */
import * as tf from '@tensorflow/tfjs';

interface Context {
  /** The shape of one sample, such as [28, 28, 1]. */
  inputShape: number[];
  /** The number of classes, if the data name them, as folders of images do. */
  classes?: number;
}

/** Classes of data without names of them. */
const CLASSES = 10;

export function createModel({ inputShape, classes = CLASSES }: Context): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.flatten({ name: 'flatten', inputShape }),
      tf.layers.dense({ name: 'fc1', units: 128, activation: 'relu' }),
      tf.layers.dense({ name: 'fc2', units: 64, activation: 'relu' }),
      // Logits: the loss in the experiment file applies the softmax.
      tf.layers.dense({ name: 'output', units: classes }),
    ],
  });
}
