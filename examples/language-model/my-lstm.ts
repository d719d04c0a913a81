/**
 * An LSTM language model of your own, made of plain TensorFlow.js layers. It is trained as fast as the built-in one: the
 * compiler joins the products of its time steps.
 */
import * as tf from '@tensorflow/tfjs';

const UNITS = 200;

/** What the data and the experiment say, handed to createModel: one model file for texts and batches of any size. */
interface Context {
  batchSize: number;
  /** [time steps] */
  inputShape: number[];
  vocabularySize: number;
}

/** All weights start uniform in +-0.1 (Zaremba et al. 2014, "small"). */
const initializer = tf.initializers.randomUniform({ minval: -0.1, maxval: 0.1 });

/** A stateful layer carries its state from batch to batch: the data set's rows go on from batch to batch, too. */
const lstm = (name: string): tf.layers.Layer =>
  tf.layers.lstm({
    name,
    units: UNITS,
    returnSequences: true,
    stateful: true,
    recurrentActivation: 'sigmoid',
    unitForgetBias: false,
    kernelInitializer: initializer,
    recurrentInitializer: initializer
  });

export function createModel({ batchSize, inputShape, vocabularySize }: Context): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.embedding({
        name: 'embedding',
        inputDim: vocabularySize,
        outputDim: UNITS,
        embeddingsInitializer: initializer,
        batchInputShape: [batchSize, ...inputShape]
      }),
      lstm('lstm1'),
      lstm('lstm2'),
      tf.layers.timeDistributed({
        name: 'softmax',
        layer: tf.layers.dense({ name: 'logits', units: vocabularySize, kernelInitializer: initializer })
      })
    ]
  });
}
