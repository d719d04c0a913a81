/**
 * @file What ONNX Runtime's optimizers fuse, in forms at the border of what they may: other axes, other shapes of scale and bias, constants
 * that look like those of the pattern. One of them, Pad_Fusion, was wrong (session.ts).
 */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, it } from 'vitest';
import { compareExecutors } from './compareExecutors.ts';
import { functionProgram, randomBatch } from './programs.ts';

type X = tf.Tensor;
/** x [2, 3, 4], w [4, 4], scale and bias [4], column [3, 1], image [2, 4, 4, 3], filter [2, 2, 3, 2] */
type Operands = Record<'x' | 'w' | 'scale' | 'bias' | 'column' | 'image' | 'filter', X>;

const normalize = (x: X, axis: number | number[], epsilon = 0.01) => {
  const mean = tf.mean(x, axis, true);
  const centred = tf.sub(x, mean);
  return tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), axis, true), epsilon)));
};
const rms = (x: X, axis: number) => tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), axis, true), 0.01)));
const gelu = (x: X, half = 0.5, root = Math.SQRT2, one = 1) =>
  tf.mul(tf.mul(x, half), tf.add(one, tf.erf(tf.div(x, root))));
const conv = (image: X, filter: X) => tf.conv2d(image as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same');
const pool = (image: X) => tf.maxPool(image as tf.Tensor4D, 2, 1, 'valid');

const rows: Record<string, (operands: Operands) => X> = {
  'layer normalization': ({ x, scale, bias }) => tf.add(tf.mul(normalize(x, -1), scale), bias),
  'layer normalization without a bias': ({ x, scale }) => tf.mul(normalize(x, -1), scale),
  'layer normalization with a scale for each row': ({ x, column, bias }) =>
    tf.add(tf.mul(normalize(x, -1), column), bias),
  'layer normalization with a number as scale': ({ x, bias }) => tf.add(tf.mul(normalize(x, -1), 2), bias),
  'layer normalization over the middle axis': ({ x, scale, bias }) => tf.add(tf.mul(normalize(x, 1), scale), bias),
  'layer normalization over two axes': ({ x, scale, bias }) => tf.add(tf.mul(normalize(x, [1, 2]), scale), bias),
  'layer normalization of a sum': ({ x, scale, bias }) =>
    tf.add(tf.mul(normalize(tf.add(tf.add(x, bias), tf.sin(x)), -1), scale), bias),
  'layer normalization, twice used': ({ x, scale }) => {
    const normal = normalize(x, -1);
    return tf.add(tf.mul(normal, scale), normal);
  },
  'root mean square': ({ x, scale }) => tf.mul(rms(x, -1), scale),
  'root mean square over the middle axis': ({ x, scale }) => tf.mul(rms(x, 1), scale),
  gelu: ({ x }) => gelu(x),
  'gelu with a bias': ({ x, w, bias }) => gelu(tf.add(tf.matMul(tf.reshape(x, [-1, 4]), w), bias)),
  'gelu with another half': ({ x }) => gelu(x, 0.51),
  'gelu with another root': ({ x }) => gelu(x, 0.5, 1.5),
  'gelu with another one': ({ x }) => gelu(x, 0.5, Math.SQRT2, 1.1),
  'fast gelu': ({ x }) =>
    tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(tf.mul(0.7978845608, tf.add(x, tf.mul(0.044715, tf.pow(x, 3))))))),
  'quick gelu': ({ x }) => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702))),
  'quick gelu of two': ({ x, bias }) => tf.mul(tf.add(x, bias), tf.sigmoid(tf.mul(x, 1.702))),
  'softmax with a bias': ({ x, bias }) => tf.softmax(tf.add(x, bias)),
  'softmax with a bias for each row': ({ x, column }) => tf.softmax(tf.add(x, column)),
  'a logarithm of sums for each row of another axis': ({ x }) => {
    const rows = tf.slice(x, [0, 0, 0], [1, 3, 4]);
    return tf.sub(rows, tf.reshape(tf.log(tf.sum(tf.exp(rows), -1)), [3, 1, 1]));
  },
  'a scaled product': ({ x, w }) => tf.mul(tf.matMul(tf.reshape(x, [-1, 4]), tf.mul(w, 0.3)), 2),
  'a product with a bias': ({ x, w, bias }) => tf.add(tf.matMul(tf.reshape(x, [-1, 4]), w, false, true), bias),
  'a product with a bias for each row': ({ x, w, column }) =>
    tf.add(tf.matMul(tf.reshape(tf.slice(x, [0, 0, 0], [1, 3, 4]), [3, 4]), w), column),
  'a product, relu, a product': ({ x, w }) => tf.matMul(tf.relu(tf.matMul(tf.reshape(x, [-1, 4]), w)), w),
  'relu, then bounds around 0': ({ x }) => tf.clipByValue(tf.relu(x), -0.5, 0.7),
  'relu, then bounds below 0': ({ x }) => tf.clipByValue(tf.relu(x), -0.7, -0.5),
  'bounds of bounds': ({ x }) => tf.clipByValue(tf.clipByValue(x, -0.2, 0.4), 0.1, 0.9),
  'the reciprocal times': ({ x, bias }) => tf.mul(tf.div(1, tf.add(tf.abs(x), 1)), bias),
  'a choice by a negation': ({ x }) =>
    tf.mul(tf.cast(tf.logicalNot(tf.greater(tf.tensor1d([0.5, -2, 3, 0]), 0)), 'float32'), x),
  'casts there and back': ({ x }) =>
    tf.add(x, tf.cast(tf.cast(tf.cast(tf.greater(tf.tensor1d([0.5, -2, 3, 0]), 1), 'int32'), 'bool'), 'float32')),
  'a sum with a 0 that broadcasts': ({ scale }) => tf.add(scale, tf.zeros([3, 4])),
  'a product with a 1 that broadcasts': ({ scale }) => tf.mul(scale, tf.ones([3, 1])),
  'slices of one tensor': ({ x, w }) =>
    tf.matMul(tf.reshape(tf.concat([tf.slice(x, [0, 2, 0], [1, 1, 4]), tf.slice(x, [0, 0, 0], [1, 1, 4])]), [2, 4]), w),
  'a gather of single rows': ({ w }) =>
    tf.sub(tf.mul(tf.gather(w, tf.scalar(2, 'int32')), 2), tf.gather(w, tf.scalar(0, 'int32'))),
  'tiles and broadcasts of one size': ({ x, bias }) => tf.add(tf.tile(x, [1, 1, 1]), tf.broadcastTo(bias, [2, 3, 4])),
  'a convolution, a factor and a bias': ({ image, filter }) =>
    tf.relu(tf.add(tf.mul(conv(image, filter), tf.tensor1d([2, -3])), tf.tensor1d([0.1, 0.2]))),
  'a convolution and a factor for each place': ({ image, filter }) =>
    tf.mul(conv(image, filter), tf.tensor3d([1, 2, 3, 4], [1, 4, 1])),
  'a convolution and its input': ({ image, filter }) =>
    tf.relu(tf.add(conv(image, filter), tf.slice(image, [0, 0, 0, 0], [-1, -1, -1, 2]))),
  'a convolution of a border of zeros': ({ image, filter }) =>
    conv(
      tf.pad(image, [
        [0, 0],
        [2, 1],
        [0, 3],
        [0, 0],
      ]),
      filter,
    ),
  'a convolution of a border of ones': ({ image, filter }) =>
    conv(
      tf.pad(
        image,
        [
          [0, 0],
          [2, 1],
          [0, 3],
          [0, 0],
        ],
        1,
      ),
      filter,
    ),
  'a pooling of a border of zeros': ({ image }) =>
    pool(
      tf.pad(tf.neg(tf.abs(image)), [
        [0, 0],
        [2, 1],
        [0, 3],
        [0, 0],
      ]),
    ),
  'a pooling of relu': ({ image }) => pool(tf.relu(image)),
  'a pooling of a convolution of bounded values': ({ image, filter }) =>
    pool(tf.clipByValue(conv(image, filter), -0.4, 0.6)),
  'transpositions around a convolution': ({ image, filter }) =>
    tf.transpose(tf.add(conv(tf.transpose(image, [0, 2, 1, 3]), filter), 1), [0, 2, 1, 3]),
  'a transposition before a reshape': ({ x, w }) => tf.matMul(tf.reshape(tf.transpose(x, [0, 2, 1]), [-1, 4]), w),
};

const shapes = {
  x: [2, 3, 4],
  w: [4, 4],
  scale: [4],
  bias: [4],
  column: [3, 1],
  image: [2, 4, 4, 3],
  filter: [2, 2, 3, 2],
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The operands that are weights: what is constant while ONNX Runtime optimizes, and what has other users, decide a fusion. */
const trained = { 'all trained': () => true, 'none of the layers trained': (name: string) => name === 'x' };

describe.each(Object.entries(trained))('With %s', (_, isTrained) => {
  it.each(Object.entries(rows))('%s is what TensorFlow.js computes', async (_name, compute) => {
    const values = Object.entries(shapes).map(([name, shape], seed) => {
      const count = shape.reduce((a, b) => a * b);
      return [
        name,
        tf.tensor(
          Array.from({ length: count }, (_value, i) => 1.5 * Math.sin(3 * i + seed)),
          shape,
        ),
      ] as const;
    });
    const weights = Object.fromEntries(values.filter(([name]) => isTrained(name)));
    const constants = Object.fromEntries(values.map(([name, value]) => [name, value.arraySync()]));
    const program = functionProgram(weights, [{ dtype: 'float32', shape: [1] }], (variables, [batch]) => {
      const operands = Object.fromEntries(
        Object.entries(constants).map(([name, value]) => [
          name,
          name in variables ? variables[name] : tf.tensor(value as number[]),
        ]),
      ) as Operands;
      const result = compute(operands);
      const factors = tf.tensor(
        Array.from({ length: result.size }, (_value, i) => Math.cos(i)),
        result.shape,
      );
      return tf.add(tf.sum(tf.mul(result, factors)), tf.sum(tf.mul(batch, tf.sum(operands.x))));
    });
    // The loss is what is left of terms that cancel.
    await compareExecutors(program, [randomBatch(program, 1, 1)], { tolerance: 1e-4 });
  });
});
