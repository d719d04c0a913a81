import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, it } from 'vitest';
import { compareExecutors } from './compareExecutors.ts';
import { modelProgram, randomBatch, randomizeWeights } from './programs.ts';

const { layers } = tf;

type Layer = tf.layers.Layer;
type Symbolic = tf.SymbolicTensor;

/** A model of one or several inputs. */
interface Row {
  readonly inputs: readonly (readonly number[])[];
  readonly dtype?: 'float32' | 'int32';
  readonly batchSize?: number;
  readonly build: (inputs: Symbolic[]) => Symbolic;
}

const single = (inputShape: readonly number[], create: () => Layer | Layer[], dtype?: Row['dtype']): Row => ({
  inputs: [inputShape],
  dtype,
  build: ([x]) => [create()].flat().reduce((y, layer) => layer.apply(y) as Symbolic, x),
});

/** A layer that merges dense layers over the inputs, so that the gradient reaches a weight. */
const merging = (create: () => Layer, shapes: readonly number[][]): Row => ({
  inputs: shapes,
  build: (inputs) => create().apply(inputs.map((x) => dense().apply(x) as Symbolic)) as Symbolic,
});

const VECTOR = [4];
const SEQUENCE = [4, 3];
const IMAGE = [5, 6, 3];
const VOLUME = [4, 4, 4, 2];
const halved = { poolSize: [2, 2, 2] as [number, number, number] };
const dense = () => layers.dense({ units: 3 });
const same = 'same' as const;

const activations = [
  'relu',
  'relu6',
  'elu',
  'selu',
  'sigmoid',
  'hardSigmoid',
  'tanh',
  'softplus',
  'softsign',
  'softmax',
  'swish',
  'mish',
  'gelu',
  'gelu_new',
] as const;

const l1l2 = () => tf.regularizers.l1l2({ l1: 0.01, l2: 0.02 });

const rows: Record<string, Row> = {
  dense: single(VECTOR, () => dense()),
  'dense without bias': single(VECTOR, () => layers.dense({ units: 2, useBias: false })),
  'dense over a sequence': single(SEQUENCE, () => dense()),
  'dense with L1 and L2 regularizers': single(VECTOR, () =>
    layers.dense({ units: 3, kernelRegularizer: l1l2(), biasRegularizer: 'l1l2', activityRegularizer: undefined }),
  ),
  ...Object.fromEntries(
    activations.flatMap((activation) => [
      [`dense, ${activation}`, single(VECTOR, () => layers.dense({ units: 3, activation }))] as const,
      [`activation ${activation}`, single(SEQUENCE, () => [dense(), layers.activation({ activation })])] as const,
    ]),
  ),

  conv1d: single(SEQUENCE, () => layers.conv1d({ filters: 2, kernelSize: 3, padding: same, activation: 'relu' })),
  'conv1d, strided': single([7, 2], () => layers.conv1d({ filters: 3, kernelSize: 3, strides: 2 })),
  conv2d: single(IMAGE, () => layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' })),
  'conv2d, same': single(IMAGE, () => layers.conv2d({ filters: 2, kernelSize: [3, 2], padding: same })),
  'conv2d, strided, same': single(IMAGE, () =>
    layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, padding: same, kernelRegularizer: 'l1l2' }),
  ),
  'conv2d, channels first': single([3, 5, 6], () =>
    layers.conv2d({ filters: 2, kernelSize: 3, dataFormat: 'channelsFirst' }),
  ),
  'two conv2d': single(IMAGE, () => [
    layers.conv2d({ filters: 2, kernelSize: 3, activation: 'relu', padding: same }),
    layers.conv2d({ filters: 3, kernelSize: 2, activation: 'tanh' }),
  ]),
  conv2dTranspose: single([3, 4, 2], () => layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2 })),
  'conv2dTranspose, same': single([3, 4, 2], () =>
    layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: same }),
  ),
  depthwiseConv2d: single(IMAGE, () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 })),
  'depthwiseConv2d, strided, same': single(IMAGE, () =>
    layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: same, activation: 'relu6' }),
  ),
  conv3d: single(VOLUME, () => [
    layers.conv3d({ filters: 3, kernelSize: 2, padding: same, activation: 'relu' }),
    layers.conv3d({ filters: 2, kernelSize: [1, 2, 2], strides: [1, 2, 2] }),
  ]),
  convLstm2d: single([2, 4, 4, 2], () => layers.convLstm2d({ filters: 2, kernelSize: 2 })),
  separableConv2d: single(IMAGE, () => layers.separableConv2d({ filters: 4, kernelSize: 3, depthMultiplier: 2 })),

  maxPooling1d: single([6, 2], () => [dense(), layers.maxPooling1d({ poolSize: 2 })]),
  averagePooling1d: single([6, 2], () => [dense(), layers.averagePooling1d({ poolSize: 3, strides: 1 })]),
  maxPooling2d: single(IMAGE, () => [dense(), layers.maxPooling2d({ poolSize: 2 })]),
  'maxPooling2d, overlapping, same': single(IMAGE, () => [
    dense(),
    layers.maxPooling2d({ poolSize: 3, strides: 2, padding: same }),
  ]),
  averagePooling2d: single(IMAGE, () => [dense(), layers.averagePooling2d({ poolSize: 2 })]),
  'averagePooling2d, overlapping': single(IMAGE, () => [dense(), layers.averagePooling2d({ poolSize: 3, strides: 1 })]),
  maxPooling3d: single(VOLUME, () => [dense(), layers.maxPooling3d(halved)]),
  averagePooling3d: single(VOLUME, () => [dense(), layers.averagePooling3d(halved)]),
  globalAveragePooling1d: single(SEQUENCE, () => [dense(), layers.globalAveragePooling1d()]),
  globalAveragePooling2d: single(IMAGE, () => [dense(), layers.globalAveragePooling2d({})]),
  globalMaxPooling1d: single(SEQUENCE, () => [dense(), layers.globalMaxPooling1d()]),
  globalMaxPooling2d: single(IMAGE, () => [dense(), layers.globalMaxPooling2d({})]),

  'batchNormalization of vectors': single(VECTOR, () => [dense(), layers.batchNormalization()]),
  'batchNormalization of images': single(IMAGE, () => [
    layers.conv2d({ filters: 2, kernelSize: 2 }),
    layers.batchNormalization({ momentum: 0.5 }),
  ]),
  'batchNormalization of sequences': single(SEQUENCE, () => layers.batchNormalization()),
  layerNormalization: single(VECTOR, () => [dense(), layers.layerNormalization()]),
  'layerNormalization of sequences': single(SEQUENCE, () => layers.layerNormalization()),
  'layerNormalization over two axes': single(IMAGE, () => layers.layerNormalization({ axis: [2, 3] })),

  'dropout of rate 0': single(VECTOR, () => [dense(), layers.dropout({ rate: 0 })]),
  embedding: single([5], () => layers.embedding({ inputDim: 6, outputDim: 3 }), 'int32'),
  'embedding, masked, into lstm': single(
    [5],
    () => [layers.embedding({ inputDim: 6, outputDim: 3, maskZero: true }), layers.lstm({ units: 2 })],
    'int32',
  ),
  'masking of what is trained': single(SEQUENCE, () => [
    dense(),
    layers.masking({ maskValue: 0 }),
    layers.gru({ units: 2 }),
  ]),
  masking: single(SEQUENCE, () => [layers.masking({ maskValue: 0 }), layers.gru({ units: 2 })]),

  simpleRNN: single(SEQUENCE, () => layers.simpleRNN({ units: 2 })),
  'simpleRNN, backwards': single(SEQUENCE, () => layers.simpleRNN({ units: 2, goBackwards: true })),
  lstm: single(SEQUENCE, () => layers.lstm({ units: 3 })),
  'lstm of sequences, regularized': single(SEQUENCE, () =>
    layers.lstm({ units: 3, returnSequences: true, recurrentRegularizer: 'l1l2', unitForgetBias: true }),
  ),
  'two lstm': single(SEQUENCE, () => [layers.lstm({ units: 3, returnSequences: true }), layers.lstm({ units: 2 })]),
  'lstm, sigmoid': single(SEQUENCE, () => layers.lstm({ units: 3, recurrentActivation: 'sigmoid' })),
  gru: single(SEQUENCE, () => layers.gru({ units: 3 })),
  'gru, sigmoid, sequences': single(SEQUENCE, () =>
    layers.gru({ units: 3, recurrentActivation: 'sigmoid', returnSequences: true }),
  ),
  'stacked cells': single(SEQUENCE, () =>
    layers.rnn({ cell: [layers.lstmCell({ units: 3 }), layers.gruCell({ units: 2 })] }),
  ),
  ...Object.fromEntries(
    (['sum', 'mul', 'concat', 'ave'] as const).map((mergeMode) => [
      `bidirectional, ${mergeMode}`,
      single(SEQUENCE, () =>
        layers.bidirectional({
          layer: layers.lstm({ units: 2, returnSequences: mergeMode === 'concat' }) as tf.RNN,
          mergeMode,
        }),
      ),
    ]),
  ),
  timeDistributed: single(SEQUENCE, () => layers.timeDistributed({ layer: layers.dense({ units: 2 }) })),
  'timeDistributed conv2d': single([2, 4, 4, 2], () =>
    layers.timeDistributed({ layer: layers.conv2d({ filters: 2, kernelSize: 2 }) }),
  ),

  reLU: single(VECTOR, () => [dense(), layers.reLU()]),
  'reLU with a maximum': single(VECTOR, () => [dense(), layers.reLU({ maxValue: 1 })]),
  thresholdedReLU: single(VOLUME, () => [dense(), layers.thresholdedReLU({ theta: 0.2 })]),
  leakyReLU: single(VECTOR, () => [dense(), layers.leakyReLU({ alpha: 0.1 })]),
  prelu: single(SEQUENCE, () => layers.prelu()),
  'prelu with shared slopes': single(IMAGE, () => layers.prelu({ sharedAxes: [1, 2] })),
  elu: single(VECTOR, () => [dense(), layers.elu()]),
  softmax: single(VECTOR, () => [dense(), layers.softmax()]),

  flatten: single(IMAGE, () => [layers.flatten(), dense()]),
  'flatten, channels first': single(IMAGE, () => [layers.flatten({ dataFormat: 'channelsFirst' }), dense()]),
  centerCrop: single(IMAGE, () => [layers.centerCrop({ height: 3, width: 4 }), dense()]),
  rescaling: single(VECTOR, () => [layers.rescaling({ scale: 0.5, offset: -1 }), dense()]),
  reshape: single([6], () => [layers.reshape({ targetShape: [2, 3] }), dense()]),
  permute: single([2, 3, 4], () => [layers.permute({ dims: [3, 1, 2] }), dense()]),
  repeatVector: single(VECTOR, () => [dense(), layers.repeatVector({ n: 3 })]),
  zeroPadding2d: single(IMAGE, () => [
    layers.zeroPadding2d({
      padding: [
        [1, 2],
        [0, 1],
      ],
    }),
    dense(),
  ]),
  // The gradient kernel of the cpu backend mixes up the images of a batch.
  'upSampling2d, nearest': { ...single(IMAGE, () => [dense(), layers.upSampling2d({ size: [2, 3] })]), batchSize: 1 },
  'upSampling2d, bilinear': single([4, 4, 2], () => [
    dense(),
    layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
  ]),
  cropping2D: single(IMAGE, () => [
    dense(),
    layers.cropping2D({
      cropping: [
        [1, 0],
        [2, 1],
      ],
    }),
  ]),

  ...Object.fromEntries(
    (['add', 'multiply', 'average', 'maximum', 'minimum', 'concatenate'] as const).map((name) => [
      name,
      merging(() => layers[name](), [VECTOR, VECTOR]),
    ]),
  ),
  'concatenate along time': merging(
    () => layers.concatenate({ axis: 1 }),
    [
      [2, 3],
      [4, 3],
    ],
  ),
  dot: merging(() => layers.dot({ axes: 1 }), [VECTOR, VECTOR]),
  'dot, normalized': merging(() => layers.dot({ axes: 1, normalize: true }), [VECTOR, VECTOR]),
  'dot of sequences': merging(
    () => layers.dot({ axes: 2 }),
    [
      [2, 3],
      [4, 3],
    ],
  ),
};

function program({ inputs, dtype, build }: Row) {
  const symbols = inputs.map((shape) => tf.input({ shape: [...shape] }));
  const model = tf.model({ inputs: symbols, outputs: build(symbols) });
  const [output] = model.outputs;
  const squaredError = (targets: tf.Tensor, outputs: tf.Tensor) => tf.mean(tf.square(tf.sub(outputs, targets)));
  return modelProgram(model, squaredError, { dtype: 'float32', shape: output.shape.slice(1) as number[] }, dtype);
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('A layer', () => {
  it.each(Object.entries(rows))('%s gives the loss, gradients and evaluation of the cpu backend', async (_, row) => {
    const step = program(row);
    randomizeWeights(step, 3);
    await compareExecutors(
      step,
      [0, 1].map((seed) => randomBatch(step, row.batchSize ?? 3, seed, 6)),
    );
  });
});
