import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../../server/models/loadModel.ts';
import { losses } from '../../../server/models/losses.ts';
import { modelWeights } from '../../../server/models/modelWeights.ts';
import type { ModelReference } from '../../../server/protocol/experiment/schema.ts';
import { userErrorOf } from '../userErrorOf.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const textOf = (words: number) => ({
  batchSize: 2,
  inputs: [{ shape: [3] }],
  vocabulary: { words: Array.from({ length: words }, String) },
});

const load = (model: ModelReference, words = 50) =>
  loadModel(model, { baseDirectory: '/', seed: 1, samples: textOf(words) });

const sizes = { builtin: 'lstm-lm', layers: 2, units: 4, dropout: 0, initialRange: 0.1, tied: false } as const;

describe('the built-in LSTM language model', () => {
  test('small has the 4,640,000 weights of Zaremba et al. and 11,600 biases', async () => {
    const { model, loss } = await load('builtin:lstm-lm-small', 10_000);
    const weights = modelWeights(model);
    expect(weights.map(({ name, shape }) => `${name} ${shape.join('x')}`)).toEqual([
      'embedding/embeddings 10000x200',
      ...['lstm1', 'lstm2'].flatMap((layer) => [
        `${layer}/kernel 200x800`,
        `${layer}/recurrent_kernel 200x800`,
        `${layer}/bias 800`,
      ]),
      'softmax/kernel 200x10000',
      'softmax/bias 10000',
    ]);
    const count = (rank: number) =>
      weights.filter(({ shape }) => shape.length === rank).reduce((sum, { variable }) => sum + variable.size, 0);
    expect([count(2), count(1)]).toEqual([4_640_000, 11_600]);
    expect(loss).toBe(losses['sparse-categorical-crossentropy-from-logits']);
    model.dispose();
  });

  test('medium has 19,760,000 weights and 15,200 biases at 10,000 words', async () => {
    /** By their axes: matrices, vectors. */
    const counts = async (words: number) => {
      const { model } = await load('builtin:lstm-lm-medium', words);
      const sizes = [1, 2].map((rank) =>
        modelWeights(model).reduce((sum, { shape, variable }) => sum + (shape.length === rank ? variable.size : 0), 0),
      );
      model.dispose();
      return sizes;
    };
    // Words have so many more weights each: their embedding and their logit.
    const [[biases, weights], [moreBiases, moreWeights]] = [await counts(50), await counts(51)];
    const at = (count: number, more: number) => count + (10_000 - 50) * (more - count);
    expect([at(weights, moreWeights), at(biases, moreBiases)]).toEqual([19_760_000, 15_200]);
  });

  test.each([
    ['builtin:lstm-lm-small', 0.1, 0],
    ['builtin:lstm-lm-medium', 0.05, 0.5],
    ['builtin:lstm-lm-300', 0.1, 0.5],
  ])('%s starts uniform in +-%f, biases too, and drops %f between layers only', async (name, range, rate) => {
    const { model } = await load(name);
    for (const { variable } of modelWeights(model)) {
      const values = variable.dataSync<'float32'>();
      const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      expect(largest).toBeLessThanOrEqual(range);
      expect(largest).toBeGreaterThan(0.9 * range);
    }
    const layers = model.layers.map((layer) => layer.getConfig() as { rate?: number; recurrentDropout?: number });
    const recurrent = layers.filter(({ recurrentDropout }) => recurrentDropout !== undefined);
    expect(recurrent.every(({ recurrentDropout }) => recurrentDropout === 0)).toBe(true);
    const dropouts = layers.flatMap(({ rate: dropped }) => dropped ?? []);
    expect(dropouts).toEqual(rate === 0 ? [] : Array<number>(recurrent.length + 1).fill(rate));
    model.dispose();
  });

  test('is that of the equations: gates by the logistic function, without a forget bias', async () => {
    const { model } = await load({ ...sizes, layers: 1, units: 2 }, 3);
    const [embedding, kernel, recurrent, bias, softmax, offset] = modelWeights(model).map(({ variable }) =>
      variable.arraySync(),
    );
    const [E, W, U, V] = [embedding, kernel, recurrent, softmax] as number[][][];
    const [b, c] = [bias, offset] as number[][];
    const words = [1, 2, 0];
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    let [h, cell] = [
      [0, 0],
      [0, 0],
    ];
    const logits = words.map((word) => {
      const z = b.map(
        (bj, j) =>
          bj + W.reduce((s, row, i) => s + E[word][i] * row[j], 0) + U.reduce((s, row, i) => s + h[i] * row[j], 0),
      );
      const gate = (index: number, unit: number) => z[2 * index + unit];
      cell = cell.map((old, u) => sigmoid(gate(1, u)) * old + sigmoid(gate(0, u)) * Math.tanh(gate(2, u)));
      h = cell.map((value, u) => sigmoid(gate(3, u)) * Math.tanh(value));
      return c.map((cj, j) => cj + h[0] * V[0][j] + h[1] * V[1][j]);
    });
    const predicted = model.predict(tf.tensor2d([words, words], [2, 3], 'int32')) as tf.Tensor;
    const [row] = predicted.arraySync() as number[][][];
    row.forEach((values, t) => values.forEach((value, j) => expect(value).toBeCloseTo(logits[t][j], 6)));
  });

  test('tied, has the embedding as the matrix of its softmax', async () => {
    const { model } = await load({ ...sizes, tied: true });
    const names = modelWeights(model).map(({ name }) => name);
    expect(names).not.toContain('softmax/kernel');
    expect(names).toContain('softmax/bias');
    const predict = () =>
      (
        model.predict(
          tf.tensor2d(
            [
              [1, 2, 3],
              [1, 2, 3],
            ],
            [2, 3],
            'int32',
          ),
        ) as tf.Tensor
      ).arraySync() as number[][][];
    const before = predict()[0][0][49];
    const embeddings = modelWeights(model)[0].variable;
    const changed = (embeddings.arraySync() as number[][]).map((row, word) => (word === 49 ? row.map(() => 5) : row));
    embeddings.assign(tf.tensor2d(changed));
    model.resetStates();
    expect(predict()[0][0][49]).not.toBeCloseTo(before, 4);
  });

  test('is refused without a text', async () => {
    const error = await userErrorOf(() => loadModel('builtin:lstm-lm-small', { baseDirectory: '/', seed: 1 }));
    expect(error.message).toBe('model: the language model is made for a text, and the data are none');
  });
});

test("a module's createModel is told the batch size, the shape of a sample and the size of the vocabulary", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-'));
  try {
    writeFileSync(
      join(folder, 'model.ts'),
      `import * as tf from '@tensorflow/tfjs';
       export const createModel = ({ batchSize, inputShape, vocabularySize }) => tf.sequential({ layers: [
         tf.layers.embedding({ inputDim: vocabularySize, outputDim: 2, batchInputShape: [batchSize, ...inputShape] })] });`,
    );
    const { model } = await loadModel('./model.ts', { baseDirectory: folder, seed: 1, samples: textOf(17) });
    expect(model.inputs[0].shape).toEqual([2, 3]);
    expect(model.layers[0].weights[0].shape).toEqual([17, 2]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
