import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { predictionGraph } from '../../../../server/export/onnx/predictionGraph.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { largestDifference, predictorOf } from './exportedGraph.ts';

const { layers } = tf;

const models: Record<string, () => ReturnType<typeof predictorOf>> = {
  'a multi-layer perceptron': () =>
    predictorOf(
      tf.sequential({
        layers: [
          layers.dense({ name: 'fc1', units: 12, activation: 'relu', inputShape: [9] }),
          layers.dropout({ rate: 0.5 }),
          layers.dense({ name: 'fc2', units: 4, activation: 'softmax' }),
        ],
      }),
    ),
  'a convolutional network with batch normalization and pooling': () =>
    predictorOf(
      tf.sequential({
        layers: [
          layers.conv2d({ name: 'c1', filters: 6, kernelSize: 3, padding: 'same', inputShape: [12, 12, 2] }),
          layers.batchNormalization({ name: 'bn' }),
          layers.activation({ activation: 'relu' }),
          layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
          layers.depthwiseConv2d({ name: 'dw', kernelSize: 3 }),
          layers.averagePooling2d({ poolSize: 2 }),
          layers.flatten(),
          layers.dense({ name: 'fc', units: 5 }),
        ],
      }),
    ),
  'a model that pads its images before it pools them': () =>
    predictorOf(
      tf.sequential({
        layers: [
          layers.zeroPadding2d({ padding: 1, inputShape: [8, 8, 3] }),
          layers.maxPooling2d({ poolSize: 3, strides: 2 }),
          layers.globalAveragePooling2d({}),
          layers.dense({ name: 'fc', units: 5 }),
        ],
      }),
    ),
  'an LSTM': () =>
    predictorOf(
      tf.sequential({
        layers: [
          layers.lstm({ name: 'lstm', units: 7, returnSequences: true, inputShape: [5, 3] }),
          layers.lstm({ name: 'lstm2', units: 6 }),
          layers.dense({ name: 'fc', units: 3 }),
        ],
      }),
    ),
  'a bidirectional GRU over an embedding': () =>
    predictorOf(
      tf.sequential({
        layers: [
          layers.embedding({ name: 'words', inputDim: 11, outputDim: 4, inputLength: 6 }),
          layers.bidirectional({ layer: layers.gru({ name: 'gru', units: 5 }) as never, name: 'both' }),
          layers.dense({ name: 'fc', units: 3 }),
        ],
      }),
      11,
    ),
  'a model with two inputs and two outputs': () => {
    const left = tf.input({ shape: [4], name: 'left' });
    const right = tf.input({ shape: [3, 2], name: 'right' });
    const flat = layers.flatten().apply(right) as tf.SymbolicTensor;
    const joined = layers.concatenate().apply([left, flat]) as tf.SymbolicTensor;
    const sum = layers.dense({ name: 'sum', units: 3 }).apply(joined) as tf.SymbolicTensor;
    const sign = layers.dense({ name: 'sign', units: 1, activation: 'tanh' }).apply(joined) as tf.SymbolicTensor;
    return predictorOf(tf.model({ inputs: [left, right], outputs: [sum, sign] }));
  },
  'products of stacked matrices, one of them transposed': () => {
    const sequence = tf.input({ shape: [5, 4], name: 'sequence' });
    const query = layers.dense({ name: 'q', units: 6 }).apply(sequence) as tf.SymbolicTensor;
    const key = layers.dense({ name: 'k', units: 6 }).apply(sequence) as tf.SymbolicTensor;
    const scores = layers.dot({ axes: [2, 2] }).apply([query, key]) as tf.SymbolicTensor;
    const attention = layers.softmax({ axis: -1 }).apply(scores) as tf.SymbolicTensor;
    const mixed = layers.dot({ axes: [2, 1] }).apply([attention, key]) as tf.SymbolicTensor;
    return predictorOf(tf.model({ inputs: sequence, outputs: mixed }));
  },
};

describe('an exported graph', () => {
  test.each(Object.keys(models))('equals TensorFlow.js for batches of 1 and 7: %s', async (name) => {
    const { largest, batchSize, file } = await largestDifference(models[name](), [1, 7]);
    expect(batchSize).toBeUndefined();
    for (const { shape } of [...file.inputs, ...file.outputs]) expect(shape[0]).toBe('batch');
    expect(largest).toBeLessThan(1e-4); // What an export allows.
  });

  test('has the names that the author of the model chose, and the weights under theirs', async () => {
    const { file } = await largestDifference(models['a model with two inputs and two outputs'](), [2]);
    expect(file.inputs.map(({ name }) => name)).toEqual(['left', 'right']);
    expect(file.outputs.map(({ name }) => name)).toEqual(['sum', 'sign']);
    expect(file.initializers.map(({ name }) => name)).toContain('sum/kernel');
  });

  test('takes one sample at a time where a layer makes constants by the size of its batch', async () => {
    class Ramp extends tf.layers.Layer {
      static readonly className = 'Ramp';
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        const x = Array.isArray(inputs) ? inputs[0] : inputs;
        return tf.add(x, tf.reshape(tf.range(0, x.shape[0]), [x.shape[0], 1]));
      }
    }
    const ramp = tf.sequential({ layers: [layers.dense({ units: 3, inputShape: [4] }), new Ramp({})] });
    const { largest, batchSize, file } = await largestDifference(predictorOf(ramp), [1]);
    expect(batchSize).toBe(1);
    expect(file.inputs[0].shape).toEqual([1, 4]);
    expect(largest).toBeLessThan(1e-4);
  });

  test('is refused with the layer that draws random numbers when it predicts', async () => {
    class Noisy extends tf.layers.Layer {
      static readonly className = 'Noisy';
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        const x = Array.isArray(inputs) ? inputs[0] : inputs;
        return tf.add(x, tf.randomNormal(x.shape));
      }
    }
    const model = tf.sequential({
      layers: [layers.dense({ units: 3, inputShape: [4] }), new Noisy({ name: 'noisy' })],
    });
    const error = await userErrorOf(() => predictionGraph(predictorOf(model), undefined));
    expect(error.message).toMatch(/layer 'noisy' cannot be written as ONNX/);
    expect(error.remedy).toBeDefined();
  });
});
