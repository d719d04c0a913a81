import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { loadModel, type Model } from '../../../runtime/index.ts';
import { eagerOutputs, pack, relativeError } from './packedModel.ts';

const WORDS = 30;
const TIME = 5;
const words = Float32Array.of(3, 1, 29, 0, 12);

/** A language model whose layers keep their state from batch to batch. */
function languageModel(recurrent: 'lstm' | 'gru' | 'simpleRNN' = 'lstm'): tf.LayersModel {
  const layer = (name: string) => tf.layers[recurrent]({ name, units: 8, returnSequences: true, stateful: true });
  return tf.sequential({
    layers: [
      tf.layers.embedding({ name: 'words', inputDim: WORDS, outputDim: 6, batchInputShape: [1, TIME] }),
      layer('first'),
      tf.layers.dropout({ rate: 0.5 }),
      layer('second'),
      tf.layers.dense({ name: 'logits', units: WORDS }),
    ],
  });
}

const steps = (model: Model) =>
  Float32Array.from([...words].flatMap((word) => [...model.step(Float32Array.of(word))[0]]));

test.each(['lstm', 'gru', 'simpleRNN'] as const)(
  'a text goes word by word through %s layers as it goes in one',
  async (recurrent) => {
    const source = languageModel(recurrent);
    const model = await loadModel(pack(source, 'sparse'));
    const [expected] = eagerOutputs(source, [tf.tensor(words, [1, TIME])]);
    expect(relativeError(model.predict(words)[0], expected)).toBeLessThan(1e-5);
    model.reset();
    expect(relativeError(steps(model), expected)).toBeLessThan(1e-5);
  },
);

test('steps go on from where predict ended, and reset begins again', async () => {
  const source = languageModel();
  const model = await loadModel(pack(source, 'codes'));
  const input = tf.tensor(words, [1, TIME]);
  const first = eagerOutputs(source, [input])[0];
  const second = eagerOutputs(source, [input])[0];
  expect(relativeError(second, first)).toBeGreaterThan(1e-3);
  model.predict(words);
  expect(relativeError(steps(model), second)).toBeLessThan(1e-5);
  model.reset();
  expect(relativeError(steps(model), first)).toBeLessThan(1e-5);
});

test('each sample begins with a state of zeros', async () => {
  const model = await loadModel(pack(languageModel(), 'dense'));
  const once = model.predict(words)[0].slice();
  const twice = model.predict(Float32Array.of(...words, ...words))[0];
  expect(twice).toEqual(Float32Array.of(...once, ...once));
});

test('a sequence of open length is one sample; its length may change', async () => {
  const source = tf.sequential({
    layers: [tf.layers.lstm({ units: 4, inputShape: [null, 3], returnSequences: true })],
  });
  const model = await loadModel(pack(source, 'factors'));
  expect(model.inputs[0].shape).toEqual([null, null, 3]);
  expect(model.outputs[0].shape).toBeUndefined();
  for (const time of [2, 7, 1, 7]) {
    const numbers = Float32Array.from({ length: 3 * time }, (_, i) => Math.sin(i));
    const [expected] = eagerOutputs(source, [tf.tensor(numbers, [1, time, 3])]);
    expect(relativeError(model.predict(numbers)[0], expected)).toBeLessThan(1e-5);
  }
});

test('steps go on from sequences of any length', async () => {
  const source = tf.sequential({
    layers: [tf.layers.lstm({ units: 4, inputShape: [null, 3], returnSequences: true }), tf.layers.dense({ units: 2 })],
  });
  const model = await loadModel(pack(source, 'dense'));
  const sequence = (time: number) => Float32Array.from({ length: 3 * time }, (_, i) => Math.sin(i));
  for (const time of [0, 5, 7, 2]) {
    const [expected] = eagerOutputs(source, [tf.tensor(sequence(time + 1), [1, time + 1, 3])]);
    if (time > 0) model.predict(sequence(time));
    const [next] = model.step(sequence(time + 1).slice(-3));
    expect(relativeError(next, expected.slice(-2))).toBeLessThan(1e-5);
  }
});

test('a layer that a model calls twice has one state, and is refused', async () => {
  const input = tf.input({ shape: [4, 3] });
  const layer = tf.layers.lstm({ name: 'twice', units: 3, returnSequences: true });
  const outputs = layer.apply(layer.apply(input)) as tf.SymbolicTensor;
  const model = await loadModel(pack(tf.model({ inputs: input, outputs }), 'dense'));
  for (let i = 0; i < 2; i++) expect(() => model.step(new Float32Array(3))).toThrow('it is called twice');
});

test('a model that needs the whole sequence is refused by its layer', async () => {
  const flat = tf.sequential({
    layers: [
      tf.layers.lstm({ units: 4, inputShape: [3, 2], returnSequences: true }),
      tf.layers.flatten({ name: 'all' }),
    ],
  });
  const flattened = await loadModel(pack(flat, 'dense'));
  expect(() => flattened.step(new Float32Array(2))).toThrow(
    "layer 'all' (Flatten) cannot be run: it needs the whole sequence",
  );
  const plain = await loadModel(
    pack(tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [2] })] }), 'dense'),
  );
  expect(() => plain.step(new Float32Array(2))).toThrow('no recurrent layer');
});

test('inputs of a wrong number or length are refused with what is expected', async () => {
  const model = await loadModel(pack(languageModel(), 'dense'));
  expect(() => model.predict()).toThrow('The model has 1 inputs (words_input); 0 were given.');
  expect(() => model.predict(new Float32Array(7))).toThrow(
    "'words_input' [1,5] has 7 numbers; a sample has a multiple of 5.",
  );
  expect(() => model.step(new Float32Array(2))).toThrow('has 2 numbers; a time step has 1.');
  model.dispose();
  expect(() => model.predict(words)).toThrow('disposed');
});
