/** @file Language models from text to perplexity, on a text whose entropy is known. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { singularValues } from '../../../server/linalg/singularValues.ts';
import { compressionsOf } from '../../../server/protocol/experiment/compressions.ts';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { sentences, writeSentences } from './sentences.ts';
import { eventsOf, finalWeights, recordedEvents, resume, workspace, type Workspace } from './workspace.ts';

/**
 * Sentences `x m x <eos>` with x one of four words: one word of four is a free choice, so that the perplexity is
 * 4^(1/4) = 1.41 for a model that remembers x, 2.0 for one that sees the last word alone, and 5.66 by frequencies alone.
 */
const ENTROPY = Math.exp(Math.log(4) / 4);
const UNIGRAM = Math.exp((2 * Math.log(4)) / 4 + (4 * Math.log(8)) / 8);

const sgd = { type: 'sgd', learningRate: 1 };
const settings = {
  model: { builtin: 'lstm-lm', layers: 1, units: 12 },
  data: { type: 'text', path: '.', timeSteps: 8 },
  training: {
    optimizer: sgd,
    clip: { globalNorm: 5 },
    lossReduction: 'sum-over-time',
    learningRateSchedule: { type: 'after-epoch', epoch: 6, factor: 0.5 },
    batchSize: 4,
    epochs: 8,
    threads: 1,
  },
};

/** 1600 training words: 49 steps an epoch. */
async function corpus(changes: object = {}): Promise<Workspace> {
  const made = await workspace();
  await writeFile(made.file, JSON.stringify({ ...settings, ...changes }));
  await writeSentences(made);
  return made;
}

const training = (changes: object) => ({ training: { ...settings.training, ...changes } });

describe('a language model on a small text', () => {
  let state: string;
  let events: readonly RunEvent[];
  let vocabulary: string;
  beforeAll(async () => {
    const { run } = await corpus();
    const whole = await run();
    ({ state, events } = whole);
    vocabulary = await readFile(join(whole.run.path, 'vocabulary.txt'), 'utf8');
  });

  test('comes near the entropy of the text, far below the perplexity of its word frequencies', () => {
    expect(state).toBe('finished');
    const [{ summary }] = eventsOf(events, 'finished');
    expect(summary.metric).toBe('perplexity');
    expect(summary.test).toBeGreaterThan(ENTROPY * 0.95);
    expect(summary.test).toBeLessThan(1.6);
    expect(summary.test).toBeLessThan(UNIGRAM / 3);
    expect(summary.validation).toBeLessThan(1.6);
  });

  test('is compiled', () => {
    expect(eventsOf(events, 'started')[0].executor).toMatch(/^ONNX Runtime/);
    expect(eventsOf(events, 'warning')).toEqual([]);
  });

  test('is evaluated on the validation text after each epoch and on the test text at the end', () => {
    const evaluations = eventsOf(events, 'evaluation');
    expect(evaluations.map(({ step, split }) => `${split} ${step / 49}`)).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((epoch) => `validation ${epoch}`),
      'test 8',
    ]);
    for (const { metric, value, loss } of evaluations) {
      expect(metric).toBe('perplexity');
      expect(value).toBeCloseTo(Math.exp(loss), 10);
    }
  });

  test('starts near the logarithm of the vocabulary, whatever the loss is summed over, and decays its learning rate', () => {
    const metrics = eventsOf(events, 'metrics');
    expect(metrics[0].loss).toBeCloseTo(Math.log(7), 1);
    expect(metrics.map(({ learningRate }) => learningRate).filter((rate, i, all) => rate !== all[i - 1])).toEqual([
      1, 0.5, 0.25,
    ]);
  });

  test('keeps its vocabulary in the run folder, by falling frequency', () => {
    const words = vocabulary.split('\n');
    expect(words.slice(0, 2)).toEqual(['<eos>', 'm']);
    expect(words.slice(2, 6).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(words.slice(6)).toEqual(['<unk>', '']);
  });
});

test('a run that is stopped in the middle of an epoch ends as one that was not', async () => {
  const { run } = await corpus(training({ epochs: 3 }));
  const whole = await run();
  const stopped = await run({ stopAfter: 81 });
  expect(stopped.state).toBe('stopped');
  const resumed = await resume(stopped.run);
  expect(finalWeights(resumed.run)).toEqual(finalWeights(whole.run));
  const losses = (events: readonly RunEvent[]) => eventsOf(events, 'metrics').map(({ loss }) => loss);
  expect(losses(await recordedEvents(resumed.run))).toEqual(losses(whole.events));
});

test('a run is started from another one with the same vocabulary, and not with another', async () => {
  const { run, write } = await corpus();
  const base = await run();
  const overrides = [`start=run:${base.run.id}`, 'training.epochs=1'];
  const again = await run({ overrides });
  expect(eventsOf(again.events, 'metrics')[0].loss).toBeLessThan(0.8);

  await write('small.train.txt', sentences(400, 1).replaceAll('a', 'e'));
  const error = await userErrorOf(() => run({ overrides }));
  expect(error.message).toContain(
    `data: the vocabulary is not that of the run ${base.run.id} (this one starts from it)`,
  );
  expect(error.message).toMatch(/word \d is '.' in place of '.'/);
  const file = join(base.run.path, 'vocabulary.txt');
  expect(error.remedy).toContain(`{ "file": "${file}" }`);
  const restated = [...overrides, `data.vocabulary={"file":${JSON.stringify(file)}}`];
  expect((await run({ overrides: restated })).state).toBe('finished');
});

test('a run learns from another one word by word, also after it was stopped, and from none of another vocabulary', async () => {
  const { run, write } = await corpus(training({ epochs: 2 }));
  const teacher = await run({ overrides: ['model.units=16'] });
  const distillation = { teacher: `run:${teacher.run.id}`, temperature: 1, ask: { entropyAbove: 0.5 } };
  const overrides = [`distillation=${JSON.stringify(distillation)}`];
  const whole = await run({ overrides });
  const stopped = await run({ overrides, stopAfter: 61 });
  expect(finalWeights((await resume(stopped.run)).run)).toEqual(finalWeights(whole.run));
  const { loss, losses, shares } = eventsOf(whole.events, 'metrics').at(-1)!;
  expect(losses!.labels + losses!.distillation).toBeCloseTo(loss, 5); // Rounded to float32.
  // The share is one of four batches of eight words.
  expect((shares!.asked * 32) % 1).toBeCloseTo(0, 5);

  await write('small.train.txt', sentences(400, 1).replaceAll('a', 'e'));
  const error = await userErrorOf(() => run({ overrides }));
  expect(error.message).toContain(
    ` distillation.teacher: the vocabulary is not that of the run ${teacher.run.id} (this one learns from it)`,
  );
  const published = `distillation=${JSON.stringify({ ...distillation, reduction: 'as-published' })}`;
  await write('small.train.txt', sentences(400, 1));
  expect((await userErrorOf(() => run({ overrides: [published] }))).message).toContain(
    ' distillation.reduction: the published code divides by the number of classes for images alone',
  );
});

test('a run does not go on with a text whose words have changed', async () => {
  const { run, write } = await corpus();
  const stopped = await run({ stopAfter: 10 });
  await write('small.train.txt', sentences(400, 1).replaceAll('a', 'e'));
  const resumed = await resume(stopped.run);
  expect(resumed.events).toMatchObject([
    { type: 'failed', message: expect.stringContaining('(the run began with it)') as string },
  ]);
});

test.each([
  ['plain', {}],
  ['with dropout, two layers and tied weights', { model: { builtin: 'lstm-lm', units: 8, dropout: 0.3, tied: true } }],
])('the compiled and the eager executor train a language model alike: %s', async (_, changes) => {
  const short = training({ epochs: undefined, steps: 8 });
  const { run } = await corpus({ ...short, ...changes });
  const dropout = 'model' in changes;
  const compiled = await run();
  const eager = await run({ overrides: ['training.executor="eager"'] });
  const [{ summary: a }] = eventsOf(compiled.events, 'finished');
  const [{ summary: b }] = eventsOf(eager.events, 'finished');
  // Masks of dropout are drawn otherwise: only where there is none are the numbers the same.
  expect(a.test / b.test).toBeCloseTo(1, dropout ? 1 : 5);
  if (dropout) return;
  const weights = finalWeights(eager.run);
  for (const [name, values] of finalWeights(compiled.run))
    values.forEach((value, i) => expect(value).toBeCloseTo(weights.get(name)![i], 4));
});

test('the best model by validation is kept, across an interruption, and is the one that is evaluated', async () => {
  // A learning rate that grows until the model is spoilt.
  const { run } = await corpus(
    training({ epochs: 6, keepBest: true, learningRateSchedule: { type: 'after-epoch', epoch: 3, factor: 6 } }),
  );
  const whole = await run();
  const perplexities = eventsOf(whole.events, 'evaluation').filter(({ moment }) => moment === 'training');
  const best = perplexities.reduce((a, b) => (b.value < a.value ? b : a));
  expect(best.step).toBeLessThan(perplexities.at(-1)!.step);
  const [{ summary }] = eventsOf(whole.events, 'finished');
  expect(summary.validation).toBe(best.value);
  const stopped = await run({ stopAfter: 250 });
  const resumed = await resume(stopped.run);
  expect(finalWeights(resumed.run)).toEqual(finalWeights(whole.run));
});

test('the learning rate falls when validation worsens', async () => {
  const { run } = await corpus(
    training({
      epochs: 5,
      optimizer: { ...sgd, learningRate: 6 },
      learningRateSchedule: { type: 'plateau', factor: 1 / 1.2 },
    }),
  );
  const { events } = await run();
  const values = eventsOf(events, 'evaluation')
    .filter(({ moment }) => moment === 'training')
    .map(({ value }) => value);
  const rates = [1, 2, 3, 4].map(
    (epoch) => eventsOf(events, 'metrics').find(({ step }) => step > epoch * 49)!.learningRate,
  );
  let expected = 6;
  let best = Infinity;
  values.slice(0, 4).forEach((value, i) => {
    if (value >= best) expected /= 1.2;
    best = Math.min(best, value);
    expect(rates[i]).toBeCloseTo(expected, 10);
  });
});

test('a schedule in epochs is one in steps', async () => {
  const compression = {
    method: 'prune',
    distortEvery: 7,
    layers: { 'lstm1/*kernel': { rate: 0.5 } },
    schedule: { to: 1, unit: 'epochs' },
  };
  const { run } = await corpus({ ...training({ epochs: 2 }), compression });
  const { events } = await run();
  const [{ config }] = eventsOf(events, 'started');
  expect(config.training.steps).toBe(98);
  expect(compressionsOf(config)[0].schedule).toMatchObject({ from: 0, to: 49, unit: 'steps' });
  const [{ summary }] = eventsOf(events, 'finished');
  expect(summary.layers.filter(({ weights, weightsKept }) => weightsKept === weights / 2)).toHaveLength(2);
});

test.each([
  [
    {
      training: { ...settings.training, keepBest: true },
      data: { type: 'text', timeSteps: 8, files: { train: 'small.train.txt', test: 'small.test.txt' } },
    },
    'training.keepBest: the best model is chosen by the validation split',
  ],
  [
    {
      training: { ...settings.training, learningRateSchedule: { type: 'plateau', factor: 0.5 } },
      data: { type: 'text', timeSteps: 8, files: { train: 'small.train.txt', test: 'small.test.txt' } },
    },
    'training.learningRateSchedule: a plateau is one of the loss on the validation split',
  ],
  [training({ batchSize: 400 }), 'training.batchSize: there are only'],
  [{ model: 'builtin:lenet-5' }, 'model: the model does not fit the data'],
])('what does not go together is refused: %j', async (changes, message) => {
  const { run } = await corpus(changes);
  expect((await userErrorOf(() => run())).message).toContain(message);
});

test('a model of fewer words than the text has is refused', async () => {
  const model = (rows: number, outputs: number) => `
    import * as tf from '@tensorflow/tfjs';
    export const createModel = ({ batchSize, inputShape }) => tf.sequential({ layers: [
      tf.layers.embedding({ name: 'words', inputDim: ${rows}, outputDim: 3, batchInputShape: [batchSize, ...inputShape] }),
      tf.layers.dense({ units: ${outputs} }),
    ] });`;
  const { run, folder } = await corpus({
    model: './model.ts',
    ...training({ loss: 'sparse-categorical-crossentropy-from-logits' }),
  });
  await writeFile(join(folder, 'model.ts'), model(7, 6));
  expect((await userErrorOf(() => run())).message).toContain(
    'the vocabulary has 7 words, the output one value for each of 6',
  );
  await writeFile(join(folder, 'model.ts'), model(6, 7));
  expect((await userErrorOf(() => run())).message).toContain(
    "the vocabulary has 7 words, the embedding 'words' 6 rows",
  );
});

test.each(['sgd', 'adagrad'])(
  'factors of an embedding are trained by %s, whose gradient could come in rows',
  async (type) => {
    const compression = { method: 'low-rank', policy: 'factors', distortEvery: 10, layers: { embedding: { rank: 2 } } };
    const { run } = await corpus({ compression, ...training({ optimizer: { type, learningRate: 0.5 }, epochs: 2 }) });
    const { state, run: finished, events } = await run();
    expect(state).toBe('finished');
    const [name] = eventsOf(events, 'distortion')[0].weights.map((weight) => weight.name);
    const table = finalWeights(finished).get(name)!;
    const spectrum = await singularValues(table, table.length / 12, 12);
    expect(spectrum[2] / spectrum[1]).toBeLessThan(1e-5);
  },
);
