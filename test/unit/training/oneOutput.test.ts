/** @file Models of one output, and targets that have no axis for it, as NumPy, folders of images and tables give them. */
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { experimentSchema } from '../../../server/protocol/experiment/schema.ts';
import { modelProgram } from '../../../server/training/modelProgram.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, experiment, finalWeights, resume, workspace } from './workspace.ts';
import { writeYesOrNo, yesOrNo } from './yesOrNo.ts';

async function place(
  activation: string,
  training: Record<string, unknown>,
  targets?: Parameters<typeof writeYesOrNo>[1],
) {
  const made = await workspace({ ...yesOrNo(activation), training: { ...experiment.training, ...training } });
  await writeYesOrNo(made, targets);
  return made;
}

describe('two classes', () => {
  test.each([
    ['binary-crossentropy', 'sigmoid', 'compiled', Int32Array],
    ['binary-crossentropy', 'sigmoid', 'eager', Float32Array],
    ['binary-crossentropy-from-logits', 'linear', 'compiled', Float32Array],
    ['binary-crossentropy-from-logits', 'linear', 'eager', Int32Array],
  ])('are learned by %s from labels 0 and 1 for one output, %s, %s', async (loss, activation, executor, form) => {
    const { run } = await place(activation, { loss, executor, steps: 120 }, { form });
    const { summary } = eventsOf((await run()).events, 'finished')[0];
    expect(summary.metric).toBe('accuracy');
    expect(summary.test).toBeGreaterThan(0.95); // 2/3 are a no.
  });

  test('are learned to the bit alike from labels with an axis for the output, and after a stop', async () => {
    const whole = await (await place('sigmoid', { loss: 'binary-crossentropy' })).run();
    const stopped = await (await place('sigmoid', { loss: 'binary-crossentropy' })).run({ stopAfter: 30 });
    expect((await resume(stopped.run)).state).toBe('finished');
    expect(finalWeights(stopped.run)).toEqual(finalWeights(whole.run));
    const withAxis = await (await place('sigmoid', { loss: 'binary-crossentropy' }, { axis: true })).run();
    expect(finalWeights(withAxis.run)).toEqual(finalWeights(whole.run));
  });

  test('of a table are learned', async () => {
    const made = await workspace({
      model: yesOrNo('linear').model.replace('inputShape: [8]', 'inputShape: [1]'),
      data: { type: 'table', path: './t.csv', target: 'kind', split: { test: 0.2 } },
      training: { ...experiment.training, loss: 'binary-crossentropy-from-logits', steps: 100 },
    });
    const rows = (kinds: readonly string[]) =>
      Array.from({ length: 100 }, (_, i) => `${(i % kinds.length) + i / 1000},${kinds[i % kinds.length]}`).join('\n');
    await made.write('t.csv', `x,kind\n${rows(['no', 'yes'])}\n`);
    expect(eventsOf((await made.run()).events, 'finished')[0].summary).toMatchObject({ metric: 'accuracy', test: 1 });
    await made.write('t.csv', `x,kind\n${rows(['no', 'yes', 'perhaps'])}\n`);
    expect((await userErrorOf(() => made.run())).message).toMatch(
      /the data have 3 classes \(no, perhaps, yes\), the output a single value, which tells two apart/,
    );
  });

  test('are not more than two', async () => {
    const { run } = await place('sigmoid', { loss: 'binary-crossentropy' }, { targetOf: (blob) => blob });
    expect((await run()).events.at(-1)).toMatchObject({
      type: 'failed',
      message: "data: a target has the label 2; the model's output has 2 classes, 0 to 1.",
    });
  });

  test.each([
    ['sparse-categorical-crossentropy', 'binary-crossentropy'],
    ['sparse-categorical-crossentropy-from-logits', 'binary-crossentropy-from-logits'],
  ])('with %s for one output are refused, and told of the loss that does', async (loss, meant) => {
    const { run } = await place('sigmoid', { loss });
    const { message, remedy } = await userErrorOf(() => run());
    expect(message).toContain(
      `training.loss: ${loss} compares the values of all classes, and the output has a single value`,
    );
    expect(remedy).toContain(`set it to "${meant}"`);
  });
});

test('numbers are learned by an element-wise loss: a target compares with the one output of its sample alone', async () => {
  const targetOf = (blob: number) => blob - 1;
  const { run } = await place('linear', { loss: 'mean-squared-error', steps: 300 }, { form: Float32Array, targetOf });
  const { summary } = eventsOf((await run()).events, 'finished')[0];
  expect(summary.test).toBeLessThan(0.2); // The variance of the targets is 2/3.
});

test.each([
  ['mean-squared-error', [], [1], [1]],
  ['huber', [5], [5, 1], [5, 1]],
  ['binary-crossentropy', [5], [5, 1], [5, 1]],
  ['mean-absolute-error', [5, 1], [5], [5]],
  ['mean-squared-error', [1], [1], [1]],
])('%s takes a target %j for an output %j', (loss, shape, output, expected) => {
  expect(programOf(loss, shape, output).targets).toEqual([{ shape: expected, dtype: 'float32' }]);
});

test.each([
  ['mean-squared-error', [], [2]],
  ['mean-squared-error', [5], [1]],
  ['mean-squared-error', [5], [5, 2]],
  ['categorical-crossentropy', [], [1]],
])('%s refuses a target %j for an output %j', (loss, shape, output) => {
  expect(() => programOf(loss, shape, output)).toThrow(/the output is \[.*\] and a target of the data is \[.*\]/);
});

function programOf(loss: string, shape: number[], output: number[]) {
  const { training } = experimentSchema.parse({
    model: './model.ts',
    data: { type: 'mnist', path: '.' },
    training: { optimizer: { type: 'adam' }, batchSize: 2, steps: 1, loss },
  });
  const units = output.reduce((a, b) => a * b, 1);
  const layers = [tf.layers.dense({ units, inputShape: [3] }), tf.layers.reshape({ targetShape: output })];
  return modelProgram(
    { model: tf.sequential({ layers }), files: [] },
    { inputs: [{ shape: [3], dtype: 'float32' }], targets: [{ shape, dtype: 'float32' }] },
    training,
  );
}
