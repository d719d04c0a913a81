import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { clear, difference, thinned, setWeights } from './thinned.ts';

test('first', async () => {
  await tf.setBackend('cpu');
  const model = tf.sequential({ layers: [
    tf.layers.conv2d({ name: 'c1', filters: 6, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 2], biasInitializer: 'randomNormal' }),
    tf.layers.batchNormalization({ name: 'bn' }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.conv2d({ name: 'c2', filters: 5, kernelSize: 2, padding: 'valid', useBias: false, activation: 'tanh' }),
    tf.layers.flatten(),
    tf.layers.dense({ name: 'd1', units: 7, activation: 'sigmoid', biasInitializer: 'randomNormal' }),
    tf.layers.dense({ name: 'd2', units: 3 }),
  ] });
  clear(model, 'c1/kernel', 3, [1, 4]);
  clear(model, 'c2/kernel', 3, [0]);
  clear(model, 'd1/kernel', 1, [2, 3]);
  setWeights(model, { 'bn/beta': [1, 2, 3, 4, 5, 6] });
  const small = await thinned(model);
  console.log(JSON.stringify([...small.tensors].map(([n, t]) => [n, t.shape])), small.kept);
  expect(difference(model, small.model, [tf.randomNormal([4, 8, 8, 2])])).toBeLessThan(1e-6);
  const factored = await thinned(model, { energy: 1, of: 'values' });
  console.log(JSON.stringify([...factored.tensors].map(([n, t]) => [n, t.shape])), factored.factored);
  expect(difference(model, factored.model, [tf.randomNormal([4, 8, 8, 2])])).toBeLessThan(1e-5);
});
