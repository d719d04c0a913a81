/** A network for the rows of a table: how many inputs and classes there are is told by the data. */
import * as tf from '@tensorflow/tfjs';

interface Context {
  /** One for each column of numbers, and for each category of the others. */
  inputShape: number[];
  classes: number;
}

export function createModel({ inputShape, classes }: Context): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.dense({ name: 'hidden1', units: 64, activation: 'relu', inputShape }),
      tf.layers.dense({ name: 'hidden2', units: 32, activation: 'relu' }),
      tf.layers.dense({ name: 'logits', units: classes })
    ]
  });
}
