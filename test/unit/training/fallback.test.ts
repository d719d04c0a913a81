/** @file A model with an operation that the compiler cannot express. */
import { expect, test } from 'vitest';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, mlp, workspace } from './workspace.ts';

/** A morphological dilation with a flat element of one pixel, which leaves all as it is. */
const model = `
  ${mlp.replace('export const createModel', 'const dense')}
  class Dilation extends tf.layers.Layer {
    static className = 'Dilation';
    call(inputs: tf.Tensor | tf.Tensor[]) {
      const [x] = [inputs].flat();
      const [batch, units] = x.shape;
      const image = tf.reshape(x, [batch, 1, 1, units]) as tf.Tensor4D;
      return tf.reshape(tf.dilation2d(image, tf.zeros([1, 1, units]), 1, 'same'), [batch, units]);
    }
  }
  export const createModel = () => {
    const model = tf.sequential();
    for (const layer of dense().layers) {
      model.add(layer);
      if (layer.name === 'fc1') model.add(new Dilation({ name: 'dilation' }));
    }
    return model;
  };
`;
const compression = { method: 'prune', distortEvery: 4, layers: { fc1: { rate: 0.7 } } };

test('it trains on TensorFlow.js, with one warning that names the operation and the layer', async () => {
  const { run } = await workspace({ model, compression });
  const { state, events } = await run();
  expect(state).toBe('finished');
  expect(eventsOf(events, 'started')[0].executor).toMatch(/^TensorFlow\.js, backend (cpu|wasm|tensorflow)$/);
  const warnings = eventsOf(events, 'warning').map(({ message }) => message);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^The operation Dilation2D of the layer 'dilation' cannot be compiled: .*which is slower.*\.$/,
    ),
  ]);
  const [{ summary }] = eventsOf(events, 'finished');
  expect(summary.layers[0]).toMatchObject({ name: 'fc1/kernel', weightsKept: 128 - Math.floor(0.7 * 128) });
  expect(summary.test).toBeGreaterThan(0.8);
});

test('it is refused where the compiled executor is asked for', async () => {
  const { run } = await workspace({ model, compression });
  const error = await userErrorOf(() => run({ overrides: ['training.executor=compiled'] }));
  expect(error.message).toMatch(
    /^--set training\.executor=compiled training\.executor: the operation Dilation2D of the layer 'dilation' cannot be compiled: /,
  );
  expect(error.exitCode).toBe(2);
});

test('so it is with a metric that cannot be compiled', async () => {
  const sum = '(_: tf.Tensor, outputs: tf.Tensor) => tf.scalar(outputs.dataSync().length)';
  const { run } = await workspace({ model: `${mlp} export const metrics = { sum: ${sum} };` });
  const { events } = await run({ overrides: ['training.steps=10'] });
  expect(eventsOf(events, 'warning').map(({ message }) => message)).toEqual([
    expect.stringMatching(/^The operation dataSync cannot be compiled: /),
    expect.stringMatching(/^The name of the metric 'sum' does not say if more of it is better/),
  ]);
  expect(eventsOf(events, 'finished')[0].summary).toMatchObject({ metric: 'sum', test: 60 * 3 });
});
