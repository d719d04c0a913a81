/** @file Models that cannot be trained are refused with the name of the layer, before there is a run. */
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { ExitCode } from '../../../server/protocol/userError.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { CLASSES, eventsOf, experiment, FEATURES, finalWeights, workspace } from './workspace.ts';

/** @param layers of a sequential model, behind a reshaping to `[8, 1]`; a dense output follows */
const sequential = (layers: string, rest = '') => `
  import * as tf from '@tensorflow/tfjs';
  class Own extends tf.layers.Layer {
    static className = 'Own';
    call(inputs, { training }) {
      if (training) throw new TypeError('a mistake of mine');
      return [inputs].flat()[0];
    }
  }
  class Drawing extends tf.layers.Layer {
    static className = 'Drawing';
    call(inputs) {
      return tf.mul([inputs].flat()[0], Math.random());
    }
  }
  class Products extends tf.layers.Layer {
    static className = 'Products';
    call(inputs) {
      return tf.cumprod([inputs].flat()[0], 1);
    }
  }
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.reshape({ targetShape: [${FEATURES}, 1], inputShape: [${FEATURES}] }),
    ${layers},
    tf.layers.flatten(),
    tf.layers.dense({ name: 'out', units: ${CLASSES}, activation: 'softmax' }),
  ] });
  ${rest}
`;
const conv = (options: string) => `tf.layers.conv1d({ name: 'hidden', filters: 4, kernelSize: 2, ${options} })`;

describe('a model that TensorFlow.js cannot train', () => {
  test.each([
    ['padding causal', conv("padding: 'causal'"), "The layer 'hidden' (Conv1D)", 'Use the padding "same" or "valid"'],
    [
      'an operation without a gradient',
      `${conv('')}, new Products({ name: 'products' })`,
      "The layer 'products' (Products)",
      'freeze all layers before it',
    ],
    [
      'a layer in a wrapper',
      `${conv('')}, tf.layers.timeDistributed({ layer: new Products({ name: 'inner' }) })`,
      "The layer 'inner' (Products)",
      'Replace the layer',
    ],
    ['a mistake in a layer of its own', "new Own({ name: 'own' })", "The layer 'own' (Own)", 'Correct it if it is'],
  ])('is refused with the layer: %s', async (_, layers, layer, remedy) => {
    for (const executor of ['auto', 'eager']) {
      const place = await workspace({ model: sequential(layers), training: { ...experiment.training, executor } });
      const error = await userErrorOf(() => place.run());
      expect(error.message).toContain(`${layer} cannot be trained by TensorFlow.js: `);
      expect(error.remedy).toContain(remedy);
      expect(error.exitCode).toBe(ExitCode.failed);
    }
  });

  test.each([
    ['dilationRate', conv('dilationRate: 2'), "The layer 'hidden' (Conv1D)"],
    [
      'another axis',
      `${conv('')}, tf.layers.batchNormalization({ name: 'norm', axis: 1 })`,
      "The layer 'norm' (BatchNormalization)",
    ],
  ])('is trained compiled, and refused with the layer where it is eager: %s', async (_, layers, layer) => {
    const run = async (executor: string, rest = '') => {
      const model = sequential(`${layers}${rest}`);
      return workspace({ model, training: { ...experiment.training, steps: 3, executor } });
    };
    expect((await (await run('compiled')).run()).state).toBe('finished');
    const eager = await userErrorOf(async () => (await run('eager')).run());
    expect(eager.message).toContain(`${layer} cannot be trained by TensorFlow.js: `);
    expect(eager.remedy).toContain('"executor": "compiled"');
    // What stands in the way of compiling is told, too.
    const bound = await userErrorOf(async () => (await run('auto', ", new Drawing({ name: 'drawing' })")).run());
    expect(bound.message).toContain(`${layer} cannot be trained by TensorFlow.js: `);
    expect(bound.message).toContain("The operation Math.random of the layer 'drawing' cannot be compiled: ");
  });

  test.each([
    ['a threshold', "tf.layers.thresholdedReLU({ name: 'threshold' })"],
    ['a mask', "tf.layers.masking({ name: 'mask' }), tf.layers.lstm({ units: 2, returnSequences: true })"],
  ])('was: %s behind weights', async (_, layers) => {
    for (const executor of ['compiled', 'eager']) {
      const model = sequential(`${conv('')}, ${layers}`);
      const place = await workspace({ model, training: { ...experiment.training, steps: 3, executor } });
      expect((await place.run()).state).toBe('finished');
    }
  });

  test.each([
    ['tf.mean(tf.argMax(outputs, -1))', /^The loss depends on no weight of the model that is trained/],
    ['tf.mean(targets)', /^The loss depends on no weight of the model that is trained/],
    ['tf.round(tf.sub(1, outputs)).greater(0).cast("float32")', /^The loss depends on no weight of the model that is/],
  ])('is refused for its loss: %s', async (loss, message) => {
    const model = sequential(conv(''), `export const loss = (targets, outputs) => ${loss};`);
    const place = await workspace({ model, training: { ...experiment.training, loss: 'auto' } });
    expect((await userErrorOf(() => place.run())).message).toMatch(message);
  });

  test.each([
    ['without weights', 'tf.layers.reshape({ targetShape: [8], inputShape: [8] })', /the model has no weights/],
    [
      'without a weight that is trained',
      'tf.layers.dense({ units: 3, inputShape: [8], trainable: false })',
      /the model has 2 weights, none of which is trained/,
    ],
  ])('is refused %s', async (_, layer, message) => {
    const model = `
      import * as tf from '@tensorflow/tfjs';
      export const createModel = () => tf.sequential({ layers: [${layer}] });`;
    const error = await userErrorOf(async () => (await workspace({ model })).run());
    expect(error.message).toMatch(message);
  });

  test('is refused where its output is its input', async () => {
    const model = `
      import * as tf from '@tensorflow/tfjs';
      export function createModel() {
        const x = tf.input({ shape: [8] });
        return tf.model({ inputs: x, outputs: x });
      }`;
    expect((await userErrorOf(async () => (await workspace({ model })).run())).message).toMatch(/has no weights/);
  });
});

test.each(['compiled', 'eager'])('a weight of integers counts the steps, %s', async (executor) => {
  const model = `
    import * as tf from '@tensorflow/tfjs';
    class Counter extends tf.layers.Layer {
      static className = 'Counter';
      build() {
        this.count = this.addWeight('count', [1], 'int32', tf.initializers.zeros(), undefined, false);
        this.switch = this.addWeight('switch', [1], 'bool', tf.initializers.zeros()); // Trained, for all it says.
      }
      call(inputs, { training }) {
        const x = [inputs].flat()[0];
        if (training) this.count.write(tf.add(this.count.read(), tf.scalar(1, 'int32')));
        return tf.div(x, tf.add(1, tf.cast(this.count.read(), 'float32')));
      }
    }
    export const createModel = () => tf.sequential({ layers: [
      tf.layers.dense({ units: ${CLASSES}, inputShape: [${FEATURES}] }), new Counter({ name: 'counter' }),
      tf.layers.dense({ units: ${CLASSES}, activation: 'softmax' }),
    ] });`;
  const training = { ...experiment.training, steps: 12, executor };
  const { run, state } = await (await workspace({ model, training })).run();
  expect(state).toBe('finished');
  expect([...finalWeights(run).get('counter/count')!]).toEqual([12]);
});

test.each(['batch', 'layer'])(
  '%s normalization without scale and center trains as one whose are constant',
  async (kind) => {
    const model = (options: string) => `
    import * as tf from '@tensorflow/tfjs';
    export const createModel = () => tf.sequential({ layers: [
      tf.layers.dense({ name: 'fc1', units: 6, inputShape: [${FEATURES}] }),
      tf.layers.${kind}Normalization({ name: 'norm', ${options} }),
      tf.layers.dense({ name: 'fc2', units: ${CLASSES}, activation: 'softmax' }),
    ] });`;
    const weightsOf = async (options: string) => {
      await tf.setBackend('cpu');
      const training = { ...experiment.training, steps: 20, executor: 'compiled' };
      const { run, state, events } = await (await workspace({ model: model(options), training })).run();
      expect(state).toBe('finished');
      return { weights: finalWeights(run), losses: eventsOf(events, 'metrics').map(({ loss }) => loss) };
    };
    const plain = await weightsOf('scale: false, center: false');
    const frozen = await weightsOf('trainable: false'); // The batch normalizations with 1 and 0.
    for (const name of ['fc1/kernel', 'fc1/bias', 'fc2/kernel'])
      plain.weights.get(name)!.forEach((weight, i) => expect(weight).toBeCloseTo(frozen.weights.get(name)![i], 4));
    expect([...plain.weights.keys()].filter((name) => /gamma|beta/.test(name))).toEqual([]);
  },
);
