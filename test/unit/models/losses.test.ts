import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { losses, type Loss } from '../../../server/models/losses.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const SAMPLES = 7;
const CLASSES = 4;

/** The loss that tfjs itself computes for these outputs: of an identity model that is compiled and evaluated. */
function ofTfjs(loss: string, targets: tf.Tensor, outputs: tf.Tensor): number {
  const input = tf.input({ shape: outputs.shape.slice(1) });
  const model = tf.model({
    inputs: input,
    outputs: tf.layers.activation({ activation: 'linear' }).apply(input) as tf.SymbolicTensor,
  });
  model.compile({ optimizer: 'sgd', loss });
  return (model.evaluate(outputs, targets, { batchSize: SAMPLES }) as tf.Scalar).dataSync()[0];
}

/** float32 sums of a few dozen terms. */
const TOLERANCE = 1e-6;

function expectClose(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(TOLERANCE * Math.max(1, Math.abs(expected)));
}

const labels = () => tf.tensor1d([0, 3, 1, 1, 2, 0, 3], 'int32');
const probabilities = () => tf.softmax(tf.randomNormal([SAMPLES, CLASSES], 0, 3, 'float32', 1));
const numbers = (seed: number) => tf.randomNormal([SAMPLES, CLASSES], 0, 2, 'float32', seed);

describe('losses have the values of tfjs-layers', () => {
  test.each<[keyof typeof losses, string, () => tf.Tensor, () => tf.Tensor]>([
    [
      'categorical-crossentropy',
      'categoricalCrossentropy',
      () => tf.oneHot(labels(), CLASSES).toFloat(),
      probabilities,
    ],
    ['categorical-crossentropy', 'categoricalCrossentropy', probabilities, () => tf.abs(numbers(2))], // made to sum to 1
    [
      'categorical-crossentropy',
      'categoricalCrossentropy',
      probabilities,
      () => tf.oneHot(labels(), CLASSES).toFloat(),
    ], // clipped
    [
      'sparse-categorical-crossentropy',
      'sparseCategoricalCrossentropy',
      () => labels().toFloat().expandDims(1),
      probabilities,
    ],
    ['binary-crossentropy', 'binaryCrossentropy', () => tf.oneHot(labels(), CLASSES).toFloat(), probabilities],
    ['binary-crossentropy', 'binaryCrossentropy', probabilities, () => tf.oneHot(labels(), CLASSES).toFloat()], // clipped
    ['mean-squared-error', 'meanSquaredError', () => numbers(3), () => numbers(4)],
    ['mean-absolute-error', 'meanAbsoluteError', () => numbers(3), () => numbers(4)],
    ['cosine-proximity', 'cosineProximity', () => numbers(3), () => numbers(4)],
    ['cosine-proximity', 'cosineProximity', () => tf.zeros([SAMPLES, CLASSES]), () => numbers(4)],
  ])('%s', (id, tfjsName, makeTargets, makeOutputs) => {
    const [targets, outputs] = [makeTargets(), makeOutputs()];
    expectClose(losses[id](targets, outputs).dataSync()[0], ofTfjs(tfjsName, targets, outputs));
  });

  test('huber has the value of tf.losses.huberLoss', () => {
    const expected = tf.losses.huberLoss(numbers(3), numbers(4)).dataSync()[0];
    expectClose(losses.huber(numbers(3), numbers(4)).dataSync()[0], expected);
  });

  test('sparse cross-entropy from logits has the value of tf.losses.softmaxCrossEntropy', () => {
    const logits = numbers(5);
    const expected = tf.losses.softmaxCrossEntropy(tf.oneHot(labels(), CLASSES), logits).dataSync()[0];
    expectClose(losses['sparse-categorical-crossentropy-from-logits'](labels(), logits).dataSync()[0], expected);
  });

  test('binary cross-entropy from logits has the value of tf.losses.sigmoidCrossEntropy', () => {
    const targets = tf.oneHot(labels(), CLASSES);
    const expected = tf.losses.sigmoidCrossEntropy(targets.toFloat(), numbers(5)).dataSync()[0];
    expectClose(losses['binary-crossentropy-from-logits'](targets, numbers(5)).dataSync()[0], expected);
  });
});

test('cross-entropy from logits neither overflows nor loses a confident mistake', () => {
  const loss = losses['sparse-categorical-crossentropy-from-logits'](
    tf.tensor1d([1], 'int32'),
    tf.tensor2d([[1000, 0]]),
  );
  expect(loss.dataSync()[0]).toBe(1000);
  const binary = losses['binary-crossentropy-from-logits'](
    tf.tensor2d([[1], [0]], [2, 1], 'int32'),
    tf.tensor2d([[-1000], [-1000]]),
  );
  expect(binary.dataSync()[0]).toBe(500);
});

test('class numbers may be int32 or float32, of shape [samples] or [samples, 1], and one for each position', () => {
  const loss = losses['sparse-categorical-crossentropy-from-logits'];
  const expected = loss(labels(), numbers(5)).dataSync()[0];
  expect(loss(labels().toFloat().expandDims(1), numbers(5)).dataSync()[0]).toBe(expected);
  const positions = loss(labels().expandDims(0), numbers(5).expandDims(0)).dataSync()[0];
  expectClose(positions, expected);
});

describe('gradients agree with central differences', () => {
  // Step 1e-2 in float32: truncation about 1e-4, rounding about 1e-5 of values near 1.
  test.each(Object.entries(losses))('%s', (id: string, loss: Loss) => {
    const sparse = id.startsWith('sparse');
    const targets = sparse
      ? labels()
      : id.includes('crossentropy')
        ? tf.oneHot(labels(), CLASSES).toFloat()
        : numbers(3);
    const isProbability = id.includes('crossentropy') && !id.endsWith('logits');
    const outputs = isProbability ? tf.add(0.1, tf.mul(0.8, probabilities())) : numbers(4);
    const gradient = tf
      .grad((x) => loss(targets, x))(outputs)
      .dataSync();
    const values = outputs.dataSync();
    const at = (index: number, change: number) => {
      const moved = Float32Array.from(values, (value, i) => (i === index ? value + change : value));
      return loss(targets, tf.tensor(moved, outputs.shape)).dataSync()[0];
    };
    for (const index of [0, 5, 13, 27]) {
      const difference = (at(index, 1e-2) - at(index, -1e-2)) / 2e-2;
      expect(Math.abs(gradient[index] - difference)).toBeLessThan(5e-3);
    }
  });
});
