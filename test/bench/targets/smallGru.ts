/** A small language model that nobody has tuned: an embedding, a GRU and a dense layer: 1.5 million weights where there are 7,317 words. */
import * as tf from '@tensorflow/tfjs';

interface Context {
  batchSize: number;
  /** [time steps] */
  inputShape: number[];
  vocabularySize: number;
}

export function createModel({ batchSize, inputShape, vocabularySize }: Context): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.embedding({
        name: 'embedding',
        inputDim: vocabularySize,
        outputDim: 64,
        batchInputShape: [batchSize, ...inputShape],
      }),
      tf.layers.gru({ name: 'gru', units: 128, returnSequences: true, stateful: true }),
      tf.layers.timeDistributed({
        name: 'words',
        layer: tf.layers.dense({ name: 'logits', units: vocabularySize }),
      }),
    ],
  });
}
