import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../../runtime/index.ts';
import { Random } from '../../../server/formats/random.ts';
import { builtinModels } from '../../../server/models/builtinModels.ts';
import * as exampleImages from '../../../examples/mnist/my-model.ts';
import * as exampleText from '../../../examples/language-model/my-lstm.ts';
import { eagerOutputs, forms, pack, randomNumbers, relativeError } from './packedModel.ts';

/** Few words and time steps: the plain backend of TensorFlow.js is slow, and the layers are as wide as ever. */
const WORDS = 50;
const TIME = 3;
const text = {
  batchSize: 1,
  inputs: [{ shape: [TIME] }],
  vocabulary: { words: Array.from({ length: WORDS }, (_, i) => `w${i}`) },
};
const context = { batchSize: 1, inputShape: [TIME], vocabularySize: WORDS };

const images: Readonly<Record<string, () => tf.LayersModel>> = {
  'lenet-300-100': () => builtinModels['lenet-300-100'](),
  'lenet-5': () => builtinModels['lenet-5'](),
  'examples/mnist/my-model.ts': () => exampleImages.createModel(),
};
const texts: Readonly<Record<string, () => tf.LayersModel>> = {
  'lstm-lm-small': () => builtinModels['lstm-lm-small'](text),
  'lstm-lm-medium': () => builtinModels['lstm-lm-medium'](text),
  'lstm-lm-300': () => builtinModels['lstm-lm-300'](text),
  'examples/language-model/my-lstm.ts': () => exampleText.createModel(context),
};

describe.each(forms)('with %s weights', (form) => {
  test.each(Object.entries(images))('%s computes what the eager executor does', async (_, create) => {
    const model = create();
    const loaded = await loadModel(pack(model, form));
    const shape = model.inputs[0].shape.slice(1).map(Number);
    const pixels = randomNumbers(new Random(2), 3 * 784);
    const [expected] = eagerOutputs(model, [tf.tensor(pixels, [3, ...shape])]);
    expect(relativeError(loaded.predict(pixels)[0], expected)).toBeLessThan(1e-5);
  });

  test.each(Object.entries(texts))(
    '%s computes what the eager executor does, at once and word by word',
    async (_, create) => {
      const model = create();
      const loaded = await loadModel(pack(model, form));
      const words = Float32Array.from({ length: TIME }, (_, i) => (17 * i) % WORDS);
      const [expected] = eagerOutputs(model, [tf.tensor(words, [1, TIME], 'int32')]);
      expect(relativeError(loaded.predict(words)[0], expected)).toBeLessThan(1e-5);
      loaded.reset();
      const steps = [...words].flatMap((word) => [...loaded.step(Float32Array.of(word))[0]]);
      expect(relativeError(Float32Array.from(steps), expected)).toBeLessThan(1e-5);
    },
  );
});

/** What else stands in the memory of a matrix: the order of its outputs, and what fills its last block. */
test.each([
  ['sparse', 1.2],
  ['factors', 1.01],
  ['codes', 1.1],
] as const)('%s weights of LeNet-300-100 take at most their bytes in the file times %d', async (form, most) => {
  const file = pack(builtinModels['lenet-300-100'](), form);
  const loaded = await loadModel(file);
  expect(loaded.memory.weights).toBeLessThan(most * file.length);
  expect(loaded.memory.total).toBeLessThan(loaded.memory.weights + 4 * 65536);
});
