import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TensorSpec } from '../../../server/data/dataset.ts';
import { withParts } from '../../../server/compiler/program.ts';
import { experimentSchema } from '../../../server/protocol/experiment/schema.ts';
import { modelProgram } from '../../../server/training/modelProgram.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

function programOf({ loss, target, layers }: { loss: string; target: TensorSpec; layers: tf.layers.Layer[] }) {
  const { training } = experimentSchema.parse({
    model: './model.ts',
    data: { type: 'mnist', path: '.' },
    training: { optimizer: { type: 'adam' }, batchSize: 2, steps: 1, loss },
  });
  const inputs: TensorSpec[] = [{ shape: [2], dtype: 'float32' }];
  return modelProgram({ model: tf.sequential({ layers }), files: [] }, { inputs, targets: [target] }, training);
}

/** Outputs are the inputs. */
const identity = () => tf.layers.dense({ units: 2, kernelInitializer: 'identity', useBias: false, inputShape: [2] });
const inputs = () => [
  tf.tensor2d([
    [0.9, 0.1],
    [0.7, 0.3],
    [0.2, 0.8],
    [0.6, 0.4],
  ]),
];

describe('the metric that a loss brings', () => {
  test.each<[string, TensorSpec, number[] | number[][], number]>([
    // Predicted classes are 0, 0, 1, 0.
    ['sparse-categorical-crossentropy', { shape: [], dtype: 'int32' }, [0, 1, 1, 1], 0.5],
    ['sparse-categorical-crossentropy-from-logits', { shape: [1], dtype: 'int32' }, [[0], [0], [0], [0]], 0.75],
    [
      'categorical-crossentropy',
      { shape: [2], dtype: 'float32' },
      [
        [1, 0],
        [0, 1],
        [0, 1],
        [0, 1],
      ],
      0.5,
    ],
    // Each output by itself is rounded: 1 0, 1 0, 0 1, 1 0.
    [
      'binary-crossentropy',
      { shape: [2], dtype: 'int32' },
      [
        [1, 0],
        [1, 1],
        [0, 1],
        [0, 0],
      ],
      6 / 8,
    ],
    // All outputs are above 0, so that each is a yes.
    [
      'binary-crossentropy-from-logits',
      { shape: [2], dtype: 'int32' },
      [
        [1, 0],
        [1, 1],
        [0, 1],
        [0, 0],
      ],
      4 / 8,
    ],
  ])('%s', (loss, target, targets, value) => {
    const program = programOf({ loss, target, layers: [identity()] });
    expect(program.metrics).toEqual(['accuracy']);
    const { metrics } = program.evaluate(inputs(), [tf.tensor(targets, undefined, target.dtype)]);
    expect(metrics[0].dataSync()[0]).toBe(value);
  });

  test('is none for a regression', () => {
    const program = programOf({
      loss: 'mean-squared-error',
      target: { shape: [2], dtype: 'float32' },
      layers: [identity()],
    });
    expect(program.metrics).toEqual([]);
    const { loss, metrics } = program.evaluate(inputs(), [tf.zeros([4, 2])]);
    expect(metrics).toEqual([]);
    const squares = 0.81 + 0.01 + 0.49 + 0.09 + 0.04 + 0.64 + 0.36 + 0.16;
    expect(loss.dataSync()[0]).toBeCloseTo(squares / 8, 6); // Six digits: single precision.
  });
});

test('regularizers count in training and not in an evaluation', () => {
  const layer = tf.layers.dense({
    units: 2,
    kernelInitializer: 'ones',
    kernelRegularizer: tf.regularizers.l2({ l2: 0.5 }),
    inputShape: [2],
  });
  const program = programOf({ loss: 'mean-squared-error', target: { shape: [2], dtype: 'float32' }, layers: [layer] });
  const targets = [tf.zeros([4, 2])];
  const { loss } = program.evaluate(inputs(), targets);
  const penalty = 0.5 * 4;
  const { total, parts } = withParts(program.loss(inputs(), targets));
  const values = [total, parts.data, parts.regularization].map((part) => part.dataSync()[0]);
  const [mean] = loss.dataSync();
  expect(values[0]).toBeCloseTo(mean + penalty, 6);
  expect(values.slice(1)).toEqual([mean, penalty]);
});

test('a loss without regularizers has no parts', () => {
  const layers = [tf.layers.dense({ units: 2, inputShape: [2] })];
  const program = programOf({ loss: 'mean-squared-error', target: { shape: [2], dtype: 'float32' }, layers });
  expect(withParts(program.loss(inputs(), [tf.zeros([4, 2])])).parts).toEqual({});
});

test('a sample with as many elements as the input takes is given its shape', () => {
  const layers = [tf.layers.flatten({ inputShape: [2, 1, 1] }), tf.layers.dense({ units: 2 })];
  const program = programOf({ loss: 'mean-squared-error', target: { shape: [2], dtype: 'float32' }, layers });
  expect(program.inputs).toEqual([{ shape: [2, 1, 1], dtype: 'float32' }]);
});
