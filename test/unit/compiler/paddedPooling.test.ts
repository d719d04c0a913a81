/**
 * @file A border of zeros before a pooling. ONNX Runtime's Pad_Fusion made it the pooling's own padding, which stands for
 * -infinity in a maximum, and may not be as large as the window.
 */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, it } from 'vitest';
import { compareExecutors } from './compareExecutors.ts';
import { modelProgram, randomBatch, randomizeWeights } from './programs.ts';

const { layers } = tf;

type Border = [[number, number], [number, number]];

const borders: Record<string, Border> = {
  'one on each side': [
    [1, 1],
    [1, 1],
  ],
  'one corner': [
    [0, 1],
    [0, 1],
  ],
  'as wide as the window and wider': [
    [2, 3],
    [0, 4],
  ],
};

const poolings: Record<string, (size: number, strides: number) => tf.layers.Layer> = {
  maxPooling2d: (poolSize, strides) => layers.maxPooling2d({ poolSize, strides }),
  'maxPooling2d, same': (poolSize, strides) => layers.maxPooling2d({ poolSize, strides, padding: 'same' }),
  averagePooling2d: (poolSize, strides) => layers.averagePooling2d({ poolSize, strides }),
};

const below: Record<string, () => tf.layers.Layer[]> = {
  nothing: () => [],
  'a convolution': () => [layers.conv2d({ filters: 2, kernelSize: 1 })],
  'a frozen convolution': () => [layers.conv2d({ filters: 2, kernelSize: 1, trainable: false })],
};

const every = <T>(table: Record<string, T>) => Object.entries(table);
const rows = every(borders).flatMap(([border, padding]) =>
  every(poolings).flatMap(([pooling, pool]) =>
    every(below).map(([base, before]) => ({ border, padding, pooling, pool, base, before })),
  ),
);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('A border of zeros', () => {
  it.each(rows)('$border over $base is zeros for $pooling', async ({ padding, pool, before }) => {
    for (const [size, strides] of [
      [2, 2],
      [3, 1],
    ]) {
      const stack = [...before(), layers.zeroPadding2d({ padding }), pool(size, strides), layers.flatten()];
      const x = tf.input({ shape: [4, 4, 2] });
      const pooled = stack.reduce((y, layer) => layer.apply(y) as tf.SymbolicTensor, x);
      const model = tf.model({ inputs: x, outputs: layers.dense({ units: 1 }).apply(pooled) as tf.SymbolicTensor });
      const squaredError = (targets: tf.Tensor, outputs: tf.Tensor) => tf.mean(tf.squaredDifference(targets, outputs));
      const program = modelProgram(model, squaredError, { dtype: 'float32', shape: [1] });
      randomizeWeights(program, 3);
      // Below 0 alone, so that a maximum tells a border of zeros from none.
      const batch = randomBatch(program, 2, 1);
      batch.inputs[0].forEach((value, i) => (batch.inputs[0][i] = -Math.abs(value)));
      await compareExecutors(program, [batch]);
    }
  });
});
