/** @file The models of test/bench/python/state_dicts.py as somebody writes them for TensorFlow.js, with layer names of their own. */
import * as tf from '@tensorflow/tfjs';
import { ResetAfterGRU } from '../../../../server/models/keras/layers/resetAfterGru.ts';
import { decodeSafetensors } from '../../../../server/formats/safetensors.ts';

export interface TorchSizes {
  readonly filters: readonly [number, number];
  /** Units of LeNet's hidden layer. */
  readonly hidden: number;
  /** Filters of the net with normalizations. */
  readonly normalized: number;
  readonly words: number;
  readonly units: number;
}

export const small: TorchSizes = { filters: [3, 4], hidden: 8, normalized: 4, words: 11, units: 6 };
export const ordinary: TorchSizes = { filters: [20, 50], hidden: 500, normalized: 64, words: 5000, units: 128 };

const lstm = (units: number, name?: string) =>
  tf.layers.lstm({
    ...(name !== undefined && { name }),
    units,
    returnSequences: true,
    recurrentActivation: 'sigmoid',
    recurrentInitializer: 'glorotUniform', // An orthogonal one takes minutes.
  });

/** The one of Keras: that of TensorFlow.js applies the reset gate before the product. */
const gru = (units: number) =>
  new ResetAfterGRU({
    name: 'rnn',
    units,
    returnSequences: true,
    recurrentActivation: 'sigmoid',
    recurrentInitializer: 'glorotUniform',
  });

function sequences(recurrent: tf.layers.Layer[], { words, units }: TorchSizes): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.embedding({ name: 'embedding', inputDim: words, outputDim: units, inputShape: [null] }),
      ...recurrent,
      tf.layers.globalAveragePooling1d({}),
      tf.layers.dense({ name: 'fc', units: 3 }),
    ],
  });
}

const batchNormalization = () => tf.layers.batchNormalization({ epsilon: 1e-5 });

export const torchModels = {
  lenet: ({ filters: [first, second], hidden }) =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({ name: 'conv1', filters: first, kernelSize: 5, inputShape: [28, 28, 1] }),
        tf.layers.maxPooling2d({ poolSize: 2, strides: 2 }),
        tf.layers.conv2d({ name: 'conv2', filters: second, kernelSize: 5 }),
        tf.layers.maxPooling2d({ poolSize: 2, strides: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ name: 'fc1', units: hidden, activation: 'relu' }),
        tf.layers.dense({ name: 'fc2', units: 10 }),
      ],
    }),
  /** Without names: `conv2d_Conv2D1`, … */
  normalized: ({ normalized: filters }) =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, inputShape: [8, 8, 3] }),
        batchNormalization(),
        tf.layers.reLU(),
        tf.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', useBias: false }),
        batchNormalization(),
        tf.layers.reLU(),
        tf.layers.globalAveragePooling2d({}),
        tf.layers.layerNormalization({ epsilon: 1e-5 }),
        tf.layers.dense({ units: 5 }),
      ],
    }),
  lstm: (sizes) => sequences([lstm(sizes.units, 'lstm1'), lstm(sizes.units, 'lstm2')], sizes),
  bidirectional: (sizes) =>
    sequences(
      [tf.layers.bidirectional({ name: 'rnn', layer: lstm(sizes.units) as tf.RNN, mergeMode: 'concat' })],
      sizes,
    ),
  gru: (sizes) => sequences([gru(sizes.units)], sizes),
} satisfies Record<string, (sizes: TorchSizes) => tf.LayersModel>;

export type TorchModel = keyof typeof torchModels;

/** The largest difference between a model's outputs and those that PyTorch wrote. @param file content of `NAME-outputs.safetensors` */
export function differenceFromTorch(model: tf.LayersModel, file: Uint8Array): number {
  const { tensors } = decodeSafetensors(file);
  const [x, y] = ['x', 'y'].map((name) => tensors.get(name));
  if (!x || !y) throw new Error('There are no inputs and outputs.');
  return tf.tidy(() => {
    const inputs = tf.tensor(Float32Array.from(x.data, Number), [...x.shape]);
    const outputs = (model.predict(inputs) as tf.Tensor).dataSync();
    return Math.max(...Array.from(outputs, (value, i) => Math.abs(value - Number(y.data[i]))));
  });
}
