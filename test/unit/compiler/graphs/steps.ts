/**
 * @file What a random model is composed of: layers and operations of TensorFlow.js, by what they take. Numbers come from `pick`, so
 * that a model is a function of its numbers.
 */
import * as tf from '@tensorflow/tfjs';

/** A number from 0 to `below` - 1. */
export type Pick = (below: number) => number;

export type Symbolic = tf.SymbolicTensor;

/** A tensor of the model and its shape without the batch. */
export type Step = (x: Symbolic, shape: number[], pick: Pick) => Symbolic;

const { layers } = tf;

/** A layer of one or more operations, without weights. */
class Operation extends tf.layers.Layer {
  static className = 'Operation';
  readonly #compute: (inputs: tf.Tensor[]) => tf.Tensor;

  constructor(name: string, compute: (inputs: tf.Tensor[]) => tf.Tensor) {
    super({ name: `${name}_${operations++}` });
    this.#compute = compute;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.#compute([inputs].flat());
  }

  override computeOutputShape(shapes: tf.Shape | tf.Shape[]): tf.Shape {
    const all = (Array.isArray(shapes[0]) ? shapes : [shapes]) as tf.Shape[];
    const shape = tf.tidy(() => {
      const samples = all.map((one) => tf.ones([PROBE, ...(one.slice(1) as number[])]));
      return this.#compute(samples).shape as unknown as tf.TensorContainer;
    }) as unknown as number[];
    return [null, ...shape.slice(1)];
  }
}

/** Samples that shapes are found out with. */
const PROBE = 2;
let operations = 0;

const apply = (layer: tf.layers.Layer, x: Symbolic | Symbolic[]): Symbolic => layer.apply(x) as Symbolic;
const layer =
  (create: (shape: number[], pick: Pick) => tf.layers.Layer): Step =>
  (x, shape, pick) =>
    apply(create(shape, pick), x);
const operation =
  (name: string, compute: (x: tf.Tensor, shape: number[], pick: Pick) => tf.Tensor): Step =>
  (x, shape, pick) => {
    // Drawn once: the operation is run many times.
    const numbers = Array.from({ length: 8 }, () => pick(2 ** 20));
    const again = (): Pick => {
      let next = 0;
      return (below) => numbers[next++ % numbers.length] % below;
    };
    return apply(new Operation(name, ([value]) => compute(value, shape, again())), x);
  };

export const two = (name: string, compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, a: Symbolic, b: Symbolic) =>
  apply(new Operation(name, ([x, y]) => compute(x, y)), [a, b]);

const oneOf = <T>(pick: Pick, ...choices: readonly T[]): T => choices[pick(choices.length)];
const flag = (pick: Pick) => pick(2) === 0;

const activations = [
  ...(['linear', 'relu', 'relu6', 'elu', 'selu', 'sigmoid', 'hardSigmoid', 'tanh', 'softplus', 'softsign'] as const),
  ...(['softmax', 'swish', 'mish', 'gelu', 'gelu_new'] as const),
];
const activation = (pick: Pick) => activations[pick(activations.length)];
const trainable = (pick: Pick) => pick(5) > 0;
const units = (pick: Pick) => 1 + pick(5);

/** No two equal but for rounding, so that both executors find the same one largest. */
const withoutTies = (x: tf.Tensor, axis: number): tf.Tensor => {
  const ramp = tf.mul(tf.range(0, x.shape[axis]), 0.0137);
  return tf.add(
    x,
    tf.reshape(
      ramp,
      x.shape.map((size, other) => (other === axis ? size : 1)),
    ),
  );
};

/** What is computed of comparisons, through which TensorFlow.js has no gradient. */
const flat = (compute: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): tf.Tensor =>
  tf.customGrad((value) => ({
    value: tf.cast(compute(value as tf.Tensor), 'float32'),
    gradFunc: () => tf.zerosLike(value as tf.Tensor),
  }))(x);

const unary: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  ...{ abs: tf.abs, neg: tf.neg, square: tf.square, sin: tf.sin, cos: tf.cos, erf: tf.erf, softplus: tf.softplus },
  ...{ atan: tf.atan, asinh: tf.asinh, angle: (x) => tf.atan2(x, tf.add(tf.square(x), 0.5)) },
  ...{ sigmoid: tf.sigmoid, tanh: tf.tanh, relu: tf.relu, elu: tf.elu, selu: tf.selu, softmax: tf.softmax },
  logSoftmax: tf.logSoftmax,
  gelu: (x) => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2)))),
  quickGelu: (x) => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702))),
  fastGelu: (x) =>
    tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(tf.mul(0.7978845608, tf.add(x, tf.mul(0.044715, tf.pow(x, 3))))))),
  leakyRelu: (x) => tf.leakyRelu(x, 0.1),
  clip: (x) => tf.clipByValue(x, -0.7, 0.9),
  reluClip: (x) => tf.clipByValue(tf.relu(x), -0.5, 0.6),
  reciprocal: (x) => tf.reciprocal(tf.add(tf.abs(x), 0.5)),
  rsqrt: (x) => tf.rsqrt(tf.add(tf.square(x), 0.25)),
  logarithm: (x) => tf.log(tf.add(tf.square(x), 1)),
  squareRoot: (x) => tf.sqrt(tf.add(tf.square(x), 1)),
  expm1: (x) => tf.expm1(tf.minimum(x, 1)),
  floorIsFlat: (x) => tf.add(x, tf.floor(tf.add(x, 0.0137))),
  chosen: (x) =>
    tf.add(
      x,
      flat((y) => tf.where(tf.greater(y, 0.1), tf.mul(y, 2), tf.sub(y, 0.3)), x),
    ),
  masked: (x) =>
    tf.mul(
      x,
      flat((y) => tf.greater(y, 0.0137), x),
    ),
  maskedByLogic: (x) =>
    tf.mul(
      x,
      flat((y) => tf.logicalAnd(tf.greater(y, -1), tf.logicalNot(tf.less(y, -0.2))), x),
    ),
  productOfBooleans: (x) =>
    tf.mul(
      x,
      flat((y) => tf.mul(tf.greater(y, 0.0137), tf.less(y, 1)), x),
    ),
  choiceOfBooleans: (x) =>
    tf.mul(
      x,
      flat((y) => tf.where(tf.greater(y, 0.0137), tf.less(y, 1), tf.less(y, -1)), x),
    ),
  sumOfBooleans: (x) =>
    tf.mul(
      x,
      flat((y) => tf.add(tf.greater(y, 0.0137), tf.less(y, 1)), x),
    ),
  truncated: (x) =>
    tf.add(
      x,
      flat((y) => tf.cast(tf.add(tf.mul(y, 3), 0.0137), 'int32'), x),
    ),
  integers: (x) =>
    tf.add(
      x,
      flat(
        (y) => tf.mod(tf.add(tf.cast(tf.greater(y, 0.0137), 'int32'), tf.scalar(3, 'int32')), tf.scalar(2, 'int32')),
        x,
      ),
    ),
  linspace: (x) => tf.add(x, tf.linspace(0, 1, x.shape[x.rank - 1])),
  twiceTransposed: (x) => tf.transpose(tf.tanh(tf.transpose(x))),
  cumulative: (x) => tf.cumsum(x, x.rank - 1),
  largest: (x) => tf.mul(x, tf.topk(withoutTies(x, x.rank - 1), 1).values),
  chosenDirectly: (x) => tf.where(tf.greater(x, 0.0137), tf.mul(x, 2), tf.tanh(x)),
};

/** Along one axis of a sample, or all of them. */
const overAxes: Record<string, (x: tf.Tensor, axis: number, pick: Pick) => tf.Tensor> = {
  lessMean: (x, axis) => tf.sub(x, tf.mean(x, axis, true)),
  overMaximum: (x, axis) => tf.div(x, tf.add(tf.abs(tf.max(x, axis, true)), 1)),
  cumulated: (x, axis, pick) => tf.mul(0.5, tf.cumsum(x, axis, flag(pick), flag(pick))),
  multiplied: (x, axis) => tf.add(x, tf.prod(tf.sigmoid(x), axis, true)),
  byMinimum: (x, axis) => tf.maximum(x, tf.mul(0.5, tf.min(x, axis, true))),
  normalized: (x, axis) => {
    const { mean, variance } = tf.moments(x, axis, true);
    return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 0.1)));
  },
  rootMeanSquare: (x, axis) => tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), axis, true), 0.1))),
  unitLength: (x, axis) => tf.div(x, tf.sqrt(tf.add(tf.sum(tf.square(x), axis, true), 0.1))),
  reversed: (x, axis) => tf.add(x, tf.reverse(x, axis)),
  tiled: (x, axis, pick) =>
    tf.tile(
      x,
      x.shape.map((_, other) => (other === axis ? 1 + pick(3) : 1)),
    ),
  padded: (x, axis, pick) =>
    tf.pad(
      x,
      x.shape.map((_, other): [number, number] => (other === axis ? [pick(3), pick(2)] : [0, 0])),
      oneOf(pick, 0, 0, 1),
    ),
  joined: (x, axis) => tf.concat([x, tf.tanh(x)], axis),
  split: (x, axis) => {
    const parts = tf.unstack(x, axis);
    return parts.reduce((sum, part, index) => tf.add(sum, tf.mul(part, 1 / (index + 1))));
  },
  stacked: (x, axis) => tf.sum(tf.stack([x, tf.sin(x)], axis), axis),
  gathered: (x, axis, pick) => {
    const size = x.shape[axis];
    return tf.gather(x, tf.tensor1d([pick(size), pick(size), pick(size)], 'int32'), axis);
  },
  cut: (x, axis, pick) => {
    const begin = pick(x.shape[axis]);
    const size = 1 + pick(x.shape[axis] - begin);
    return tf.slice(
      x,
      x.shape.map((_, other) => (other === axis ? begin : 0)),
      x.shape.map((all, other) => (other === axis ? size : all)),
    );
  },
  strided: (x, axis) =>
    tf.stridedSlice(
      x,
      x.shape.map(() => 0),
      [...x.shape],
      x.shape.map((_, other) => (other === axis ? 2 : 1)),
    ),
  ofLargest: (x, axis) => tf.add(x, tf.expandDims(tf.cast(tf.argMax(withoutTies(x, axis), axis), 'float32'), axis)),
  anyAndAll: (x, axis) =>
    tf.add(
      x,
      flat((y) => tf.logicalOr(tf.any(tf.greater(y, 1), axis, true), tf.all(tf.greater(y, -1), axis, true)), x),
    ),
};

const broadcasts: Record<string, (x: tf.Tensor, pick: Pick) => tf.Tensor> = {
  constant: (x, pick) => {
    const shape = x.shape.slice(1).map((size) => (flag(pick) ? size : 1));
    const values = tf.tensor(
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + 1)),
      shape,
    );
    return oneOf(pick, tf.add, tf.mul, tf.sub, tf.maximum)(x, values);
  },
  ofBatch: (x) => tf.sub(x, tf.mean(x, 0, true)),
  toMore: (x) => tf.mean(tf.mul(tf.broadcastTo(tf.expandDims(x, 1), [x.shape[0], 3, ...x.shape.slice(1)]), 1.5), 1),
  outer: (x) => tf.mul(x, tf.sum(x, x.rank - 1, true)),
};

const entries = <T>(table: Record<string, T>): readonly (readonly [string, T])[] => Object.entries(table);

/** For tensors of any rank. */
export const anywhere: Record<string, Step> = {
  ...Object.fromEntries(entries(unary).map(([name, compute]) => [name, operation(name, (x) => compute(x))])),
  ...Object.fromEntries(
    entries(overAxes).map(([name, compute]) => [
      name,
      operation(name, (x, shape, pick) => compute(x, 1 + pick(shape.length), pick)),
    ]),
  ),
  ...Object.fromEntries(
    entries(broadcasts).map(([name, compute]) => [name, operation(name, (x, _shape, pick) => compute(x, pick))]),
  ),
  dense: layer((_, pick) =>
    layers.dense({ units: units(pick), activation: activation(pick), useBias: flag(pick), trainable: trainable(pick) }),
  ),
  batchNormalization: layer((_, pick) => layers.batchNormalization({ trainable: trainable(pick), epsilon: 0.1 })),
  layerNormalization: layer(() => layers.layerNormalization({ epsilon: 0.1 })),
  activation: layer((_, pick) => layers.activation({ activation: activation(pick) })),
  prelu: layer(() => layers.prelu()),
  reLU: layer((_, pick) => layers.reLU(flag(pick) ? {} : { maxValue: 1 })),
  leakyReLU: layer(() => layers.leakyReLU({ alpha: 0.2 })),
};

export const vectors: Record<string, Step> = {
  repeatVector: layer((_, pick) => layers.repeatVector({ n: 1 + pick(4) })),
  asSequence: layer(([size], pick) => layers.reshape({ targetShape: flag(pick) ? [size, 1] : [1, size] })),
  asImage: layer(([size], pick) => layers.reshape({ targetShape: flag(pick) ? [size, 1, 1] : [1, size, 1] })),
  oneHot: operation('oneHot', (x, [size]) =>
    tf.mul(
      x,
      flat((y) => tf.slice(tf.oneHot(tf.argMax(withoutTies(y, 1), 1), size + 1), [0, 0], [-1, size]), x),
    ),
  ),
  products: operation('products', (x) => tf.matMul(tf.matMul(x, x, false, true), x)),
};

type Recurrent = tf.RNN;
const recurrent = (pick: Pick, returnSequences: boolean): Recurrent => {
  const args = { units: 1 + pick(3), returnSequences };
  return oneOf<() => tf.layers.Layer>(
    pick,
    () => layers.lstm({ ...args, recurrentActivation: 'sigmoid' }),
    () => layers.gru(args),
    () => layers.simpleRNN({ ...args, goBackwards: pick(3) === 0 }),
  )() as Recurrent;
};

export const sequences: Record<string, Step> = {
  recurrent: layer((_, pick) => recurrent(pick, flag(pick))),
  bidirectional: layer((_, pick) =>
    layers.bidirectional({ layer: recurrent(pick, true), mergeMode: oneOf(pick, 'sum', 'mul', 'concat', 'ave') }),
  ),
  conv1d: layer(([steps], pick) =>
    layers.conv1d({
      filters: units(pick),
      kernelSize: 1 + pick(Math.min(3, steps)),
      padding: oneOf(pick, 'same', 'valid'),
      strides: 1 + pick(2),
      activation: activation(pick),
    }),
  ),
  maxPooling1d: layer(([steps], pick) =>
    layers.maxPooling1d({
      poolSize: 1 + pick(Math.min(3, steps)),
      strides: 1 + pick(2),
      padding: oneOf(pick, 'same', 'valid'),
    }),
  ),
  averagePooling1d: layer(([steps], pick) =>
    layers.averagePooling1d({ poolSize: 1 + pick(Math.min(3, steps)), strides: 1 + pick(2) }),
  ),
  timeDistributed: layer((_, pick) =>
    layers.timeDistributed({ layer: layers.dense({ units: units(pick), activation: 'tanh' }) }),
  ),
  globalMaxPooling1d: layer(() => layers.globalMaxPooling1d()),
  globalAveragePooling1d: layer(() => layers.globalAveragePooling1d()),
  permute: layer(() => layers.permute({ dims: [2, 1] })),
  attention: operation('attention', (x) => tf.matMul(tf.softmax(tf.div(tf.matMul(x, x, false, true), 2)), x)),
  transposedProduct: operation('transposedProduct', (x) => tf.matMul(x, x, true, false)),
  flatten: layer(() => layers.flatten()),
  asImage: layer(([steps, features]) => layers.reshape({ targetShape: [steps, features, 1] })),
};

const border = (pick: Pick): [[number, number], [number, number]] => [
  [pick(3), pick(3)],
  [pick(3), pick(3)],
];
const window = ([height, width]: number[], pick: Pick): [number, number] => [
  1 + pick(Math.min(3, height)),
  1 + pick(Math.min(3, width)),
];
const padding = (pick: Pick) => oneOf(pick, 'same' as const, 'valid' as const);
const strides = (pick: Pick): [number, number] => [1 + pick(2), 1 + pick(2)];

export const images: Record<string, Step> = {
  conv2d: layer((shape, pick) =>
    layers.conv2d({
      ...{ filters: units(pick), kernelSize: window(shape, pick), padding: padding(pick), strides: strides(pick) },
      ...{ activation: activation(pick), useBias: flag(pick), trainable: trainable(pick) },
    }),
  ),
  'conv2d, channels first': layer(([, height, width], pick) =>
    layers.conv2d({
      filters: units(pick),
      kernelSize: window([height, width], pick),
      padding: 'same',
      dataFormat: 'channelsFirst',
    }),
  ),
  depthwiseConv2d: layer((shape, pick) =>
    layers.depthwiseConv2d({ kernelSize: window(shape, pick), depthMultiplier: 1 + pick(2), padding: padding(pick) }),
  ),
  separableConv2d: layer((shape, pick) =>
    layers.separableConv2d({ filters: units(pick), kernelSize: window(shape, pick), padding: padding(pick) }),
  ),
  conv2dTranspose: layer((_, pick) =>
    layers.conv2dTranspose({
      filters: units(pick),
      kernelSize: 2 + pick(2),
      strides: 1 + pick(2),
      padding: padding(pick),
    }),
  ),
  zeroPadding2d: layer((_, pick) => layers.zeroPadding2d({ padding: border(pick) })),
  'zeroPadding2d, then a pooling': (x, [height, width], pick) => {
    const padded = apply(layers.zeroPadding2d({ padding: border(pick) }), x);
    const poolSize = window([height, width], pick);
    const pool = flag(pick) ? layers.maxPooling2d : layers.averagePooling2d;
    return apply(pool({ poolSize, strides: strides(pick) }), padded);
  },
  maxPooling2d: layer((shape, pick) =>
    layers.maxPooling2d({ poolSize: window(shape, pick), strides: strides(pick), padding: padding(pick) }),
  ),
  // Without padding: the gradient of TensorFlow.js's plain backend is wrong with it.
  averagePooling2d: layer((shape, pick) =>
    layers.averagePooling2d({ poolSize: window(shape, pick), strides: strides(pick) }),
  ),
  'average pooling of a border': operation('averagePooling', (x, _shape, pick) =>
    tf.avgPool(
      tf.pad(
        x,
        [
          [0, 0],
          [1, 0],
          [0, 1],
          [0, 0],
        ],
        oneOf(pick, 0, 1),
      ) as tf.Tensor4D,
      2,
      1,
      'valid',
    ),
  ),
  globalMaxPooling2d: layer(() => layers.globalMaxPooling2d({})),
  globalAveragePooling2d: layer(() => layers.globalAveragePooling2d({})),
  // Square images alone: the gradient of TensorFlow.js's plain backend throws for others; its nearest one mixes up a batch.
  'upSampling2d, bilinear': (x, [height, width], pick) =>
    height === width
      ? apply(layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }), x)
      : anywhere.dense(x, [], pick),
  cropping2D: layer(([height, width], pick) =>
    layers.cropping2D({
      cropping: [
        [pick(height), 0],
        [0, pick(width)],
      ],
    }),
  ),
  'prelu with shared slopes': layer(() => layers.prelu({ sharedAxes: [1, 2] })),
  'layerNormalization over three axes': layer(() => layers.layerNormalization({ axis: [1, 2, 3], epsilon: 0.1 })),
  flatten: layer((_, pick) => layers.flatten({ dataFormat: oneOf(pick, 'channelsFirst', 'channelsLast') })),
  permute: layer((_, pick) => layers.permute({ dims: oneOf(pick, [3, 1, 2], [2, 1, 3], [1, 3, 2]) })),
  asSequence: layer(([height, width, channels]) => layers.reshape({ targetShape: [height * width, channels] })),
  localResponseNormalization: operation('lrn', (x) => tf.localResponseNormalization(x as tf.Tensor4D, 2)),
  'channels first in an operation': operation('nchw', (x) => {
    const channels = x.shape[1] as number;
    return tf.conv2d(x as tf.Tensor4D, tf.ones([1, 1, channels, 2]) as tf.Tensor4D, 1, 'same', 'NCHW');
  }),
};

/** From indices below {@link WORDS} to a sequence. */
export const WORDS = 6;
export const embeddings: Record<string, Step> = {
  embedding: layer((_, pick) =>
    layers.embedding({ inputDim: WORDS, outputDim: units(pick), trainable: trainable(pick) }),
  ),
  'embedding of other indices': (x, _, pick) => {
    const shift = pick(WORDS);
    const shifted = new Operation('shift', ([indices]) =>
      tf.mod(tf.add(tf.cast(indices, 'int32'), tf.scalar(shift, 'int32')), tf.scalar(WORDS, 'int32')),
    );
    return apply(layers.embedding({ inputDim: WORDS, outputDim: units(pick) }), apply(shifted, x));
  },
  'one-hot codes': operation('oneHot', (x) => tf.cast(tf.oneHot(tf.cast(x, 'int32'), WORDS), 'float32')),
};
