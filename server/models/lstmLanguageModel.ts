/**
 * @file The LSTM language model of Zaremba, Sutskever & Vinyals 2014, "Recurrent neural network regularization": words in,
 * logits of the next word out. Dropout stands between layers only, a new mask at each time step, never on the recurrent
 * connections. All weights start uniform in +-range, biases included.
 *
 * Layers: `embedding`, `lstm1`, `lstm2`, …, `softmax` (whose outputs are the logits). With 2 layers of h units over V words
 * it has 2 V h + 16 h^2 weights: 4,640,000 for h = 200 and V = 10,000.
 */
import * as tf from '@tensorflow/tfjs';
import type { LstmLanguageModelOptions } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import type { ModelSamples } from './modelSamples.ts';

/** @throws UserError when the data are no text */
export function lstmLanguageModel(
  options: LstmLanguageModelOptions,
  samples: ModelSamples | undefined,
): tf.LayersModel {
  if (samples?.vocabulary === undefined)
    throw new SettingError(['model'], 'the language model is made for a text, and the data are none', {
      remedy: 'Set data to { "type": "text", … }, or choose another model.',
    });
  const { layers, units, dropout, initialRange, tied } = options;
  const vocabularySize = samples.vocabulary.words.length;
  const [timeSteps] = samples.inputs[0].shape;
  const initializer = tf.initializers.randomUniform({ minval: -initialRange, maxval: initialRange });

  const words = tf.input({ batchShape: [samples.batchSize, timeSteps], dtype: 'int32' });
  const embedding = tf.layers.embedding({
    name: 'embedding',
    inputDim: vocabularySize,
    outputDim: units,
    embeddingsInitializer: initializer,
  });
  const dropped = (x: tf.SymbolicTensor, name: string) =>
    dropout === 0 ? x : (tf.layers.dropout({ name, rate: dropout }).apply(x) as tf.SymbolicTensor);
  let x = dropped(embedding.apply(words) as tf.SymbolicTensor, 'dropout0');
  for (let layer = 1; layer <= layers; layer++) {
    const lstm = tf.layers.lstm({
      name: `lstm${layer}`,
      units,
      returnSequences: true,
      stateful: true,
      recurrentActivation: 'sigmoid',
      kernelInitializer: initializer,
      recurrentInitializer: initializer,
      biasInitializer: initializer,
      unitForgetBias: false,
    });
    x = dropped(lstm.apply(x) as tf.SymbolicTensor, `dropout${layer}`);
  }
  const softmax = tied
    ? new TiedSoftmax({ name: 'softmax', embedding, biasInitializer: initializer })
    : tf.layers.dense({
        name: 'softmax',
        units: vocabularySize,
        kernelInitializer: initializer,
        biasInitializer: initializer,
      });
  return tf.model({ inputs: words, outputs: softmax.apply(x) as tf.SymbolicTensor });
}

type Initializer = ReturnType<typeof tf.initializers.randomUniform>;

/** Logits `x E' + b` with the embedding E [words, units] (Press & Wolf 2017, "Using the output embedding"). */
class TiedSoftmax extends tf.layers.Layer {
  static readonly className = 'TiedSoftmax';
  readonly #embedding: tf.layers.Layer;
  readonly #biasInitializer: Initializer;
  #bias: tf.LayerVariable | undefined;

  constructor({
    name,
    embedding,
    biasInitializer,
  }: {
    name: string;
    embedding: tf.layers.Layer;
    biasInitializer: Initializer;
  }) {
    super({ name });
    this.#embedding = embedding;
    this.#biasInitializer = biasInitializer;
  }

  get #table(): tf.Tensor {
    return this.#embedding.weights[0].read();
  }

  override build(): void {
    this.#bias = this.addWeight('bias', [this.#table.shape[0]], 'float32', this.#biasInitializer);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    const [batch, time, units] = x.shape;
    const logits = tf.matMul(tf.reshape(x, [batch * time, units]), this.#table as tf.Tensor2D, false, true);
    return tf.reshape(tf.add(logits, this.#bias!.read()), [batch, time, this.#table.shape[0]]);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return [...(inputShape as tf.Shape).slice(0, -1), this.#table.shape[0]];
  }
}
