/** @file A language model of an ONNX file: words in, logits out, perplexity, compressed and exported. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ort } from '../../../server/formats/onnxRuntime.ts';
import { graphFile, integers, node, seededFloats, type GraphFile } from '../models/onnx/onnxFiles.ts';
import { writeSentences } from '../training/sentences.ts';
import { eventsOf, workspace } from '../training/workspace.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { exported } from './finishedRun.ts';
import { Random } from '../../../server/formats/random.ts';

const { randomFloats } = seededFloats();

const [WORDS, EMBEDDING, UNITS, TIME] = [9, 6, 12, 8];

/**
 * An LSTM between an embedding and logits, as PyTorch writes it for batches that come first.
 * @param random of its own, so that what it learns does not depend on the tests before it
 */
const network = (words = WORDS, random = new Random(11)): GraphFile => ({
  input: ['batch', 'time'],
  inputType: 'int64',
  outputRank: 3,
  nodes: [
    node('Gather', ['embedding.weight', 'x'], 'words'),
    node('Transpose', ['words'], 'sequence', { perm: { ints: [1, 0, 2] } }),
    {
      op: 'LSTM',
      name: '/rnn/LSTM',
      inputs: ['sequence', 'rnn.weight_ih_l0', 'rnn.weight_hh_l0', 'rnn.bias'],
      outputs: ['Y'],
      attributes: { hidden_size: { int: UNITS } },
    },
    node('Squeeze', ['Y', 'one'], 'steps'),
    node('Transpose', ['steps'], 'hidden', { perm: { ints: [1, 0, 2] } }),
    node('Transpose', ['fc.weight'], 'kernel', { perm: { ints: [1, 0] } }),
    node('MatMul', ['hidden', 'kernel'], 'product'),
    node('Add', ['product', 'fc.bias'], 'y'),
  ],
  tensors: {
    one: integers([1]),
    'embedding.weight': randomFloats([words, EMBEDDING], 0.3, random),
    'rnn.weight_ih_l0': randomFloats([1, 4 * UNITS, EMBEDDING], 0.3, random),
    'rnn.weight_hh_l0': randomFloats([1, 4 * UNITS, UNITS], 0.3, random),
    'rnn.bias': randomFloats([1, 8 * UNITS], 0.1, random),
    'fc.weight': randomFloats([WORDS, UNITS], 0.3, random),
    'fc.bias': randomFloats([WORDS], 0.1, random),
  },
});

async function languageModel(words?: number) {
  const made = await workspace();
  await made.write('net.onnx', graphFile(network(words)));
  const settings = {
    model: './net.onnx',
    data: { type: 'text', path: '.', timeSteps: TIME },
    training: {
      optimizer: { type: 'sgd', learningRate: 1 },
      loss: 'sparse-categorical-crossentropy-from-logits',
      lossReduction: 'sum-over-time',
      clip: { globalNorm: 5 },
      batchSize: 4,
      epochs: 6,
      threads: 1,
    },
    compression: {
      method: 'prune',
      distortEvery: 20,
      layers: {
        embedding: { rate: 0.2 },
        'rnn.weight_ih_l0': { rate: 0.5 },
        'rnn.weight_hh_l0': { rate: 0.5 },
        fc: { rate: 0.3 },
      },
    },
  };
  const file = join(made.folder, 'net.deeptwist.jsonc');
  await made.write('net.deeptwist.jsonc', JSON.stringify(settings));
  await writeSentences(made);
  return { folder: made.folder, run: () => made.run({ of: file }) };
}

test('a language model of an ONNX file learns a text, compressed, and goes out as it came in', async () => {
  const { folder, run: train } = await languageModel();
  const { run, state, events } = await train();
  expect(state).toBe('finished');
  expect(eventsOf(events, 'warning')).toEqual([]);
  expect(eventsOf(events, 'started')[0].executor).toMatch(/^ONNX Runtime/);
  const [{ summary }] = eventsOf(events, 'finished');
  expect(summary.metric).toBe('perplexity');
  // It does not know where in a sentence its window begins; by frequencies alone it would be 5.66.
  expect(summary.test).toBeLessThan(2.2);

  const { path, value, runValue, weights, inputs, outputs } = await exported(run, folder);
  expect(value).toBeCloseTo(runValue ?? NaN, 3); // A mean over other batches.
  expect(weights.filter(({ form }) => form === 'sparse').map(({ name }) => name)).toContain('rnn.weight_hh_l0');
  expect(inputs).toEqual([{ name: 'x', type: 'int64', shape: ['batch', 'time'] }]);
  expect(outputs).toEqual([{ name: 'y', type: 'float32', shape: ['batch', 'd1', 'd2'] }]);
  const session = await ort.InferenceSession.create(path, { logSeverityLevel: 3 });
  const { y } = await session.run({ x: new ort.Tensor('int64', new BigInt64Array(2 * 5).fill(1n), [2, 5]) });
  expect(y.dims).toEqual([2, 5, WORDS]);
  await session.release();
});

test('an embedding of fewer rows than the text has words is refused', async () => {
  const { run } = await languageModel(5);
  const error = await userErrorOf(run);
  expect(error.message).toContain("the vocabulary has 7 words, the embedding 'embedding' 5 rows");
});
