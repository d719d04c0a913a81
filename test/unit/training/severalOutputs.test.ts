/** @file Models with several outputs, and data with several targets: the loss reaches all of them. */
import { describe, expect, test } from 'vitest';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, experiment, finalWeights, workspace } from './workspace.ts';

const data = (targets: string) => `
  const batch = (size) => {
    const inputs = Float32Array.from({ length: size * 4 }, (_, i) => Math.sin(i));
    const value = { data: Float32Array.from({ length: size }, (_, i) => (inputs[4 * i] + inputs[4 * i + 1]) / 2), shape: [size, 1] };
    const label = { data: Int32Array.from({ length: size }, (_, i) => i % 3), shape: [size] };
    const last = { data: Int32Array.from({ length: size }, (_, i) => i === size - 1 ? 7 : 0), shape: [size] };
    return { inputs: { data: inputs, shape: [size, 4] }, targets: ${targets} };
  };
  export function* train({ batchSize }) { for (let i = 0; i < 4; i++) yield batch(batchSize); }
  export function* test({ batchSize }) { yield batch(Math.min(batchSize, 16)); }
`;
/** The outputs `a` and `b` have one value each, `c` and `d` have three. */
const model = (outputs: string, rest = '') => `
  import * as tf from '@tensorflow/tfjs';
  export function createModel() {
    const x = tf.input({ shape: [4] });
    const h = tf.layers.dense({ name: 'h', units: 8, activation: 'tanh' }).apply(x);
    const [a, b, c, d] = [1, 1, 3, 3].map((units, i) => tf.layers.dense({ name: 'abcd'[i], units }).apply(h));
    return tf.model({ inputs: x, outputs: ${outputs} });
  }
  ${rest}
`;

async function place(
  outputs: string,
  targets: string,
  { loss = 'auto', rest = '', executor = 'compiled', steps = 40 } = {},
) {
  const optimizer = { type: 'sgd', learningRate: 0.1 };
  const training = { ...experiment.training, optimizer, loss, steps, executor, batchSize: 16, evaluateEvery: 1 };
  const made = await workspace({ model: model(outputs, rest), data: { type: 'module', path: './data.ts' }, training });
  await made.write('data.ts', data(targets));
  return made;
}

describe('a model with several outputs', () => {
  test.each(['compiled', 'eager'])('has the sum of a built-in loss over them, %s', async (executor) => {
    const loss = 'mean-squared-error';
    const both = await (await place('[a, b]', '[value, value]', { loss, executor })).run();
    const losses = eventsOf(both.events, 'evaluation').map((event) => event.loss);
    expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]);
    expect(both.events.at(-1)).toMatchObject({ type: 'finished', summary: { metric: 'loss' } });

    // In the first step, the weights are those of each output alone.
    const first = async (outputs: string, targets: string) => {
      const { events } = await (await place(outputs, targets, { loss, executor, steps: 1 })).run();
      return eventsOf(events, 'metrics')[0].loss;
    };
    const sum = (await first('a', 'value')) + (await first('b', 'value'));
    expect(await first('[a, b]', '[value, value]')).toBeCloseTo(sum, 5); // Rounded to float32.
  });

  test("is trained by a module's loss of arrays, which may count its targets otherwise", async () => {
    const rest = `
      export const loss = ([value], [a, b]) =>
        tf.add(tf.losses.meanSquaredError(value, a), tf.mul(2, tf.losses.meanSquaredError(tf.neg(value), b)));
      export const metrics = { opposite: (targets, [a, b]) => tf.abs(tf.add(a, b)) };`;
    const { run, events } = await (await place('[a, b]', 'value', { rest, steps: 300 })).run();
    const opposite = eventsOf(events, 'evaluation').map(({ value }) => value);
    expect(opposite.at(-1)!).toBeLessThan(0.2 * Math.max(...opposite));
    expect([...finalWeights(run).keys()]).toContain('b/kernel');
  });

  test('is trained on several targets with one output', async () => {
    const rest = 'export const loss = ([value, other], [a]) => tf.losses.meanSquaredError(tf.sub(value, other), a);';
    const { state } = await (await place('a', '[value, value]', { rest })).run();
    expect(state).toBe('finished');
  });

  test('must have as many targets for a built-in loss', async () => {
    const error = await userErrorOf(async () => (await place('[a, b]', 'value', { loss: 'huber' })).run());
    expect(error.message).toMatch(
      /2 outputs and a sample of the data has 1 targets; the loss huber takes one target for each/,
    );
  });

  test('must have each of them once', async () => {
    const twice = await place('[a, a]', '[value, value]', { loss: 'mean-squared-error' });
    expect((await userErrorOf(() => twice.run())).message).toMatch(/some of its outputs are one and the same/);
  });

  test('must fit each target', async () => {
    const misfit = await place('[a, c]', '[value, value]', { loss: 'mean-squared-error' });
    expect((await userErrorOf(() => misfit.run())).message).toMatch(
      /the output is \[3\] and a target of the data is \[1\]/,
    );
    const labels = await place('[c, d]', '[label, last]', { loss: 'sparse-categorical-crossentropy-from-logits' });
    expect((await labels.run()).events.at(-1)).toMatchObject({
      message: expect.stringContaining('target 2 has the label 7') as string,
    });
  });
});
