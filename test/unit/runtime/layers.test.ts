import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../../runtime/index.ts';
import { Random } from '../../../server/formats/random.ts';
import { eagerOutputs, exported, forms, pack, randomNumbers, relativeError } from './packedModel.ts';

type Symbolic = tf.SymbolicTensor;
const symbol = (tensor: Symbolic | Symbolic[] | tf.Tensor | tf.Tensor[]): Symbolic => {
  if (tensor instanceof tf.SymbolicTensor) return tensor;
  throw new TypeError('A layer did not give one symbolic tensor.');
};

/** A model of one layer, or of what a function makes of an input. */
const one = (shape: number[], ...layers: tf.layers.Layer[]): tf.LayersModel => {
  const input = tf.input({ shape });
  return tf.model({ inputs: input, outputs: layers.reduce((x, layer) => symbol(layer.apply(x)), input) });
};

const image = [9, 7, 3];
const sequence = [6, 5];
const { layers } = tf;

const activations = [
  'relu',
  'relu6',
  'sigmoid',
  'hardSigmoid',
  'tanh',
  'swish',
  'elu',
  'selu',
  'softplus',
  'softsign',
] as const;
const rareActivations = ['mish', 'gelu', 'gelu_new', 'softmax', 'linear'] as const;

const models: Readonly<Record<string, () => tf.LayersModel>> = {
  Dense: () => one([11], layers.dense({ units: 7, activation: 'relu' })),
  'Dense without bias': () => one([11], layers.dense({ units: 7, useBias: false })),
  'Dense on a sequence': () => one(sequence, layers.dense({ units: 9 })),
  'Dense on an image': () => one(image, layers.dense({ units: 4 })),
  Conv2D: () => one(image, layers.conv2d({ filters: 6, kernelSize: 3, activation: 'tanh' })),
  'Conv2D, same, strides, not square': () =>
    one(image, layers.conv2d({ filters: 5, kernelSize: [3, 2], strides: [2, 3], padding: 'same' })),
  'Conv2D, dilated': () =>
    one(image, layers.conv2d({ filters: 5, kernelSize: 3, dilationRate: [2, 2], padding: 'same' })),
  'Conv2D, 1 x 1': () => one(image, layers.conv2d({ filters: 5, kernelSize: 1 })),
  'Conv2D, one channel, many positions': () => one([20, 19, 1], layers.conv2d({ filters: 20, kernelSize: 5 })),
  'Conv2D, wide lines': () => one([8, 8, 40], layers.conv2d({ filters: 8, kernelSize: 3, padding: 'same' })),
  Conv1D: () => one([12, 4], layers.conv1d({ filters: 5, kernelSize: 3, strides: 2 })),
  DepthwiseConv2D: () => one(image, layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', activation: 'relu' })),
  'DepthwiseConv2D, multiplier': () =>
    one(image, layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2 })),
  // TensorFlow.js computes without the dilation.
  'DepthwiseConv2D, dilated': () =>
    one(image, layers.depthwiseConv2d({ kernelSize: 3, dilationRate: 2, padding: 'same' })),
  'DepthwiseConv2D, many channels': () => one([5, 5, 9], layers.depthwiseConv2d({ kernelSize: 2, useBias: false })),
  SeparableConv2D: () => one(image, layers.separableConv2d({ filters: 5, kernelSize: 3, padding: 'same' })),
  'SeparableConv2D, dilated': () =>
    one(image, layers.separableConv2d({ filters: 5, kernelSize: 3, dilationRate: 2, padding: 'same' })),
  'SeparableConv2D, multiplier': () =>
    one(image, layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, useBias: false })),
  MaxPooling2D: () => one([8, 7, 5], layers.maxPooling2d({ poolSize: 2 })),
  'MaxPooling2D, same': () => one([8, 7, 5], layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  'AveragePooling2D, same': () => one([8, 7, 5], layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  MaxPooling1D: () => one([9, 5], layers.maxPooling1d({ poolSize: 2 })),
  AveragePooling1D: () => one([9, 5], layers.averagePooling1d({ poolSize: 3, strides: 1 })),
  GlobalMaxPooling2D: () => one(image, layers.globalMaxPooling2d({})),
  GlobalAveragePooling2D: () => one(image, layers.globalAveragePooling2d({})),
  GlobalMaxPooling1D: () => one(sequence, layers.globalMaxPooling1d({})),
  GlobalAveragePooling1D: () => one(sequence, layers.globalAveragePooling1d({})),
  'Flatten, Reshape': () => one(image, layers.flatten(), layers.reshape({ targetShape: [7, -1] })),
  'Flatten, channels first': () => one(image, layers.flatten({ dataFormat: 'channelsFirst' })),
  'Flatten, channels first, of a sequence': () => one(sequence, layers.flatten({ dataFormat: 'channelsFirst' })),
  Permute: () => one(image, layers.permute({ dims: [3, 1, 2] })),
  RepeatVector: () => one([5], layers.repeatVector({ n: 3 })),
  ZeroPadding2D: () =>
    one(
      image,
      layers.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 1],
        ],
      }),
    ),
  'ZeroPadding2D, one number': () => one(image, layers.zeroPadding2d({ padding: 2 })),
  Cropping2D: () =>
    one(
      image,
      layers.cropping2D({
        cropping: [
          [1, 2],
          [0, 3],
        ],
      }),
    ),
  UpSampling2D: () => one(image, layers.upSampling2d({ size: [2, 3] })),
  BatchNormalization: () => one(image, layers.batchNormalization({})),
  'BatchNormalization, no scale': () => one([13], layers.batchNormalization({ scale: false, epsilon: 0.01 })),
  LayerNormalization: () => one(sequence, layers.layerNormalization({ axis: -1 })),
  'LayerNormalization, plain': () => one([17], layers.layerNormalization({ axis: -1, center: false, scale: false })),
  ...Object.fromEntries(
    [...activations, ...rareActivations].map((activation) => [
      `Activation ${activation}`,
      () => one([4, 13], layers.activation({ activation })),
    ]),
  ),
  ReLU: () => one([13], layers.reLU({ maxValue: 0.5 })),
  LeakyReLU: () => one([13], layers.leakyReLU({ alpha: 0.2 })),
  ELU: () => one([13], layers.elu()),
  ThresholdedReLU: () => one([13], layers.thresholdedReLU({ theta: 0.3 })),
  Softmax: () => one(sequence, layers.softmax({ axis: -1 })),
  Rescaling: () => one(image, layers.rescaling({ scale: 2, offset: -1 })),
  'Dropout and noise': () =>
    one(sequence, layers.dropout({ rate: 0.5 }), layers.gaussianNoise({ stddev: 1 }), layers.dense({ units: 3 })),
  LSTM: () => one(sequence, layers.lstm({ units: 7 })),
  'LSTM, sequences, sigmoid': () =>
    one(sequence, layers.lstm({ units: 9, returnSequences: true, recurrentActivation: 'sigmoid' })),
  'LSTM, backwards': () =>
    one(sequence, layers.lstm({ units: 4, goBackwards: true, returnSequences: true, useBias: false })),
  GRU: () => one(sequence, layers.gru({ units: 7, returnSequences: true })),
  'GRU, sigmoid': () => one(sequence, layers.gru({ units: 6, recurrentActivation: 'sigmoid', activation: 'relu' })),
  SimpleRNN: () => one(sequence, layers.simpleRNN({ units: 7, returnSequences: true })),
  ...Object.fromEntries(
    (['concat', 'sum', 'mul', 'ave'] as const).map((mergeMode) => [
      `Bidirectional ${mergeMode}`,
      () => one(sequence, layers.bidirectional({ layer: layers.lstm({ units: 4, returnSequences: true }), mergeMode })),
    ]),
  ),
  'Bidirectional GRU, last': () =>
    one(sequence, layers.bidirectional({ layer: layers.gru({ units: 4 }), mergeMode: 'concat' })),
  ...Object.fromEntries(
    ([true, false] as const).map((returnSequences) => [
      `Bidirectional, the layer backwards, ${returnSequences ? 'sequences' : 'last'}`,
      () => one(sequence, layers.bidirectional({ layer: layers.lstm({ units: 4, goBackwards: true, returnSequences }), mergeMode: 'concat' })), // prettier-ignore
    ]),
  ),
  'TimeDistributed Dense': () => one(sequence, layers.timeDistributed({ layer: layers.dense({ units: 3 }) })),
  'TimeDistributed LayerNormalization': () =>
    one(sequence, layers.timeDistributed({ layer: layers.layerNormalization() })),
  'TimeDistributed Conv2D': () =>
    one([3, 6, 6, 2], layers.timeDistributed({ layer: layers.conv2d({ filters: 4, kernelSize: 3 }) })),
  'a Sequential model': () =>
    tf.sequential({
      layers: [layers.dense({ units: 6, inputShape: [5] }), layers.leakyReLU(), layers.dense({ units: 2 })],
    }),
  'a model in a model': () => {
    const inner = tf.sequential({ layers: [layers.dense({ units: 6, inputShape: [5] }), layers.reLU()] });
    return tf.sequential({ layers: [inner, layers.dense({ units: 2 })] });
  },
  'a functional model in a functional model': () => {
    const inner = one([5], layers.dense({ units: 5, activation: 'tanh' }));
    const input = tf.input({ shape: [5] });
    return tf.model({ inputs: input, outputs: symbol(inner.apply(symbol(inner.apply(input)))) });
  },
  'a layer that is called twice': () => {
    const input = tf.input({ shape: [5] });
    const shared = layers.dense({ units: 5, activation: 'tanh' });
    return tf.model({ inputs: input, outputs: symbol(shared.apply(symbol(shared.apply(input)))) });
  },
  'a residual block': () => {
    const input = tf.input({ shape: image });
    const convolved = symbol(
      layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(input),
    );
    return tf.model({ inputs: input, outputs: symbol(layers.add().apply([input, convolved])) });
  },
};

const merges = {
  Add: () => layers.add(),
  Multiply: () => layers.multiply(),
  Average: () => layers.average(),
  Maximum: () => layers.maximum(),
  Minimum: () => layers.minimum(),
  'Concatenate, last': () => layers.concatenate(),
  'Concatenate, first': () => layers.concatenate({ axis: 1 }),
};

/** The largest relative difference over all outputs. */
async function difference(model: tf.LayersModel, form: (typeof forms)[number], batch = 2): Promise<number> {
  const random = new Random(9);
  const loaded = await loadModel(pack(model, form));
  const shapes = model.inputs.map(({ shape }) => shape.slice(1).map((size) => size ?? 4));
  const inputs = shapes.map((shape) => randomNumbers(random, batch * shape.reduce((a, b) => a * b, 1), 2));
  const actual = loaded.predict(...inputs);
  const expected = eagerOutputs(
    model,
    inputs.map((input, i) => tf.tensor(input, [batch, ...shapes[i]])),
  );
  expect(actual).toHaveLength(expected.length);
  loaded.outputs.forEach(({ shape }, i) => {
    // TensorFlow.js leaves a size of -1 open.
    const known = model.outputs[i].shape.map((size, axis) => (axis === 0 ? null : (size ?? shape?.[axis])));
    expect(shape).toEqual(known);
  });
  return Math.max(...expected.map((output, i) => relativeError(actual[i], output)));
}

/** Float32 sums in another order, and those of codes in 21 bits. */
const TOLERANCE = 1e-5;

describe.each(forms)('with %s weights', (form) => {
  test.each(Object.entries(models))('%s computes what TensorFlow.js does', async (_, create) => {
    expect(await difference(create(), form)).toBeLessThan(TOLERANCE);
  });
});

test.each(Object.entries(merges))('%s of three inputs computes what TensorFlow.js does', async (_, create) => {
  const inputs = [0, 1, 2].map(() => tf.input({ shape: [4, 5] }));
  const model = tf.model({ inputs, outputs: [symbol(create().apply(inputs)), inputs[1]] });
  expect(await difference(model, 'dense')).toBeLessThan(TOLERANCE);
});

test('a size of 1 is spread over the other input', async () => {
  const inputs = [
    [6, 5, 4],
    [1, 1, 4],
  ].map((shape) => tf.input({ shape }));
  const model = tf.model({ inputs, outputs: symbol(layers.multiply().apply(inputs)) });
  expect(await difference(model, 'dense')).toBeLessThan(TOLERANCE);
});

test.each(forms)('an embedding with %s weights gives the rows of words, and refuses others', async (form) => {
  const model = tf.sequential({ layers: [layers.embedding({ inputDim: 40, outputDim: 300, inputLength: 3 })] });
  const loaded = await loadModel(pack(model, form));
  const words = Float32Array.of(0, 39, 7, 7, 20, 1);
  const [expected] = eagerOutputs(model, [tf.tensor(words, [2, 3])]);
  expect(relativeError(loaded.predict(words)[0], expected)).toBeLessThan(1e-6);
  for (const wrong of [-1, 40, 1.5, NaN])
    expect(() => loaded.predict(Float32Array.of(0, wrong, 0))).toThrow(/'embedding_\w+' has no row .*from 0 to 39/);
});

test.each([
  'Bidirectional concat',
  'TimeDistributed Dense',
  'a model in a model',
  'a functional model in a functional model',
])('%s is found under the names that an export gives its layers', async (name) => {
  const model = models[name]();
  const shape = model.inputs[0].shape.slice(1).map(Number);
  const input = randomNumbers(
    new Random(4),
    shape.reduce((a, b) => a * b, 1),
  );
  const [expected] = eagerOutputs(model, [tf.tensor(input, [1, ...shape])]);
  expect(relativeError((await loadModel(exported(model))).predict(input)[0], expected)).toBeLessThan(TOLERANCE);
});
