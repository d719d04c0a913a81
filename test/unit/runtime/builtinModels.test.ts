import * as tf from '@tensorflow/tfjs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../../runtime/index.ts';
import { Random } from '../../../server/formats/random.ts';
import { loadModel as loadSource } from '../../../server/models/loadModel.ts';
import { eagerOutputs, forms, pack, randomNumbers, relativeError } from './packedModel.ts';

/** Few words and time steps: the plain backend of TensorFlow.js is slow, and the layers are as wide as ever. */
const WORDS = 50;
const TIME = 3;
const imagesOf = (shape: number[]) => ({ batchSize: 3, inputs: [{ shape }] });
const text = {
  batchSize: 1,
  inputs: [{ shape: [TIME] }],
  vocabulary: { words: Array.from({ length: WORDS }, (_, i) => `w${i}`) },
};
const baseDirectory = join(import.meta.dirname, '../../../examples');

async function sourceModel(model: string, samples: typeof text | ReturnType<typeof imagesOf>): Promise<tf.LayersModel> {
  return (await loadSource(model, { baseDirectory, seed: 1, samples })).model;
}

const images = [
  ['builtin:lenet-300-100', [784]],
  ['builtin:lenet-5', [28, 28, 1]],
  ['mnist/my-model.ts', [28, 28, 1]],
] as const;
const texts = ['builtin:lstm-lm-small', 'builtin:lstm-lm-medium', 'builtin:lstm-lm-300', 'language-model/my-lstm.ts'];

describe.each(forms)('with %s weights', (form) => {
  test.each(images)('%s computes what the eager executor does', async (name, shape) => {
    const model = await sourceModel(name, imagesOf([...shape]));
    const loaded = await loadModel(pack(model, form));
    const pixels = randomNumbers(new Random(2), 3 * 784);
    const [expected] = eagerOutputs(model, [tf.tensor(pixels, [3, ...shape])]);
    expect(relativeError(loaded.predict(pixels)[0], expected)).toBeLessThan(1e-5);
  });

  test.each(texts)('%s computes what the eager executor does, at once and word by word', async (name) => {
    const model = await sourceModel(name, text);
    const loaded = await loadModel(pack(model, form));
    const words = Float32Array.from({ length: TIME }, (_, i) => (17 * i) % WORDS);
    const [expected] = eagerOutputs(model, [tf.tensor(words, [1, TIME], 'int32')]);
    expect(relativeError(loaded.predict(words)[0], expected)).toBeLessThan(1e-5);
    loaded.reset();
    const steps = [...words].flatMap((word) => [...loaded.step(Float32Array.of(word))[0]]);
    expect(relativeError(Float32Array.from(steps), expected)).toBeLessThan(1e-5);
  });
});

/** What else stands in the memory of a matrix: the order of its outputs, and what fills its last block. */
test.each([
  ['sparse', 1.2],
  ['factors', 1.01],
  ['codes', 1.1],
] as const)('%s weights of LeNet-300-100 take at most their bytes in the file times %d', async (form, most) => {
  const file = pack(await sourceModel('builtin:lenet-300-100', imagesOf([784])), form);
  const loaded = await loadModel(file);
  expect(loaded.memory.weights).toBeLessThan(most * file.length);
  expect(loaded.memory.total).toBeLessThan(loaded.memory.weights + 4 * 65536);
});
