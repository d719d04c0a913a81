/** @file The models of test/bench/python/state_dicts.py as somebody writes them for TensorFlow.js, with layer names of their own. */
import * as tf from '@tensorflow/tfjs';
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
  gru: (sizes) => sequences([new TorchGru(sizes.units)], sizes),
} satisfies Record<string, (sizes: TorchSizes) => tf.LayersModel>;

export type TorchModel = keyof typeof torchModels;

/** `nn.GRU`, whose reset gate is applied behind the product: TensorFlow.js has no such layer. */
class TorchGru extends tf.layers.Layer {
  static readonly className = 'TorchGru';
  readonly #units: number;
  readonly #weights: tf.LayerVariable[] = [];

  constructor(units: number) {
    super({ name: 'rnn' });
    this.#units = units;
  }

  override build(inputShape: tf.Shape): void {
    const units = this.#units;
    const initializer = tf.initializers.zeros();
    for (const [name, shape] of [
      ['weight_ih_l0', [3 * units, inputShape.at(-1) ?? 0]],
      ['weight_hh_l0', [3 * units, units]],
      ['bias_ih_l0', [3 * units]],
      ['bias_hh_l0', [3 * units]],
    ] as const)
      this.#weights.push(this.addWeight(name, [...shape], 'float32', initializer));
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = [inputs].flat()[0] as tf.Tensor3D;
      const [ofInput, ofState, inputBias, stateBias] = this.#weights.map((weight) => weight.read());
      let h: tf.Tensor = tf.zeros([x.shape[0], this.#units]);
      const states = tf.unstack(x, 1).map((step) => {
        const [r, z, n] = tf.split(
          tf.add(tf.matMul(step as tf.Tensor2D, ofInput as tf.Tensor2D, false, true), inputBias),
          3,
          1,
        );
        const [hr, hz, hn] = tf.split(
          tf.add(tf.matMul(h as tf.Tensor2D, ofState as tf.Tensor2D, false, true), stateBias),
          3,
          1,
        );
        const update = tf.sigmoid(tf.add(z, hz));
        const next = tf.tanh(tf.add(n, tf.mul(tf.sigmoid(tf.add(r, hr)), hn)));
        return (h = tf.add(tf.mul(tf.sub(1, update), next), tf.mul(update, h)));
      });
      return tf.stack(states, 1);
    });
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return [...inputShape.slice(0, -1), this.#units];
  }
}

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
