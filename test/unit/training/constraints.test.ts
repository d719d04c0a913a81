/** @file Constraints of layers on their weights hold after every step and in the final model, whatever trains the model. */
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { userErrorOf } from '../userErrorOf.ts';
import { CLASSES, eventsOf, experiment, FEATURES, finalWeights, resume, workspace } from './workspace.ts';

const model = (fc1: string, fc2 = 'kernelConstraint: tf.constraints.maxNorm({ maxValue: 0.5, axis: 0 })') => `
  import * as tf from '@tensorflow/tfjs';
  class AtLeast extends tf.serialization.Serializable {
    static className = 'AtLeast';
    apply(w) { return tf.maximum(w, 0.1); }
    getConfig() { return {}; }
  }
  class Plain extends tf.layers.Layer {
    static className = 'Plain';
    build(shape) {
      this.scale = this.addWeight('scale', [shape.at(-1)], 'float32', tf.initializers.randomNormal({}), undefined, true, new AtLeast());
    }
    call(inputs) { return tf.mul([inputs].flat()[0], this.scale.read()); }
  }
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ name: 'fc1', units: 16, activation: 'relu', inputShape: [${FEATURES}], ${fc1} }),
    new Plain({ name: 'plain' }),
    tf.layers.dense({ name: 'fc2', units: ${CLASSES}, activation: 'softmax', biasConstraint: 'nonNeg', ${fc2} }),
  ] });
`;
const nonNegative = model("kernelConstraint: 'nonNeg'");
const rough = { ...experiment.training, optimizer: { type: 'sgd', learningRate: 0.5, momentum: 0.9 } };
const prune = { method: 'prune', distortEvery: 7, layers: { fc1: { rate: 0.5 }, fc2: { rate: 0.3 } } };

function columnNorms(kernel: Float32Array): number[] {
  return Array.from({ length: CLASSES }, (_, column) => Math.hypot(...kernel.filter((_, i) => i % CLASSES === column)));
}

function expectConstrained(weights: Map<string, Float32Array>): void {
  expect(Math.min(...weights.get('fc1/kernel')!)).toBe(0);
  expect(Math.min(...weights.get('fc2/bias')!)).toBeGreaterThanOrEqual(0);
  expect(Math.min(...weights.get('plain/scale')!)).toBe(Math.fround(0.1));
  // Rounded to float32.
  expect(Math.max(...columnNorms(weights.get('fc2/kernel')!))).toBeLessThan(0.5 + 1e-6);
}

describe('a constraint of a layer', () => {
  test.each([
    ['deeptwist', 'compiled'],
    ['deeptwist', 'eager'],
    ['gradual-mask', 'compiled'],
    ['one-shot', 'compiled'],
    ['straight-through', 'compiled'],
  ])('holds in the final model of the policy %s, trained %s, and after a resumption', async (policy, executor) => {
    const training = { ...rough, executor };
    const place = await workspace({ model: nonNegative, training, compression: { ...prune, policy } });
    const { run, state, events } = await place.run();
    expect(state).toBe('finished');
    expect(eventsOf(events, 'warning').map(({ message }) => message)).toEqual([]);
    expectConstrained(finalWeights(run));
    const zeros = finalWeights(run)
      .get('fc1/kernel')!
      .filter((weight) => weight === 0).length;
    expect(zeros).toBeGreaterThanOrEqual((FEATURES * 16) / 2);

    const stopped = await place.run({ stopAfter: 31 });
    expect(stopped.state).toBe('stopped');
    const resumed = await resume(stopped.run);
    expect(finalWeights(resumed.run)).toEqual(finalWeights(run));
  });

  test('is applied to the update: one step gives what TensorFlow.js makes of the weights without it', async () => {
    const steps = { ...rough, steps: 1 };
    const free = await (await workspace({ model: model('', ''), training: steps })).run();
    const unit = "kernelConstraint: 'unitNorm', biasConstraint: tf.constraints.maxNorm({ maxValue: 0.01 })";
    const constrained = await (await workspace({ model: model(unit, ''), training: steps })).run();
    const unconstrained = tf.tensor(finalWeights(free.run).get('fc1/kernel')!, [FEATURES, 16]);
    const expected = tf.constraints.unitNorm({}).apply(unconstrained).dataSync();
    finalWeights(constrained.run)
      .get('fc1/kernel')!
      .forEach((weight, i) => expect(weight).toBeCloseTo(expected[i], 5)); // Rounded to float32.
    expect(Math.hypot(...finalWeights(constrained.run).get('fc1/bias')!)).toBeLessThan(0.01 + 1e-6);
  });

  test('that would destroy a quantized weight is left out after a distortion, with a warning', async () => {
    const compression = { method: 'quantize', distortEvery: 7, layers: { fc1: { bits: 1 } } };
    const { run, state, events } = await (await workspace({ model: nonNegative, training: rough, compression })).run();
    expect(state).toBe('finished');
    expect(eventsOf(events, 'warning').map(({ message }) => message)).toEqual([
      'fc1/kernel has the constraint NonNeg. It is applied after each update, but not after a distortion, because it would ' +
        'destroy the compressed form: the final weights may violate it.',
    ]);
    const weights = finalWeights(run);
    expect(new Set(weights.get('fc1/kernel')!.subarray(0, 16)).size).toBeLessThanOrEqual(2 * 16);
    expect(Math.max(...columnNorms(weights.get('fc2/kernel')!))).toBeLessThan(0.5 + 1e-6);
  });

  test('does not go with trained factors, and the layer is named', async () => {
    const compression = { method: 'low-rank', policy: 'factors', distortEvery: 5, layers: { fc1: { rank: 2 } } };
    const place = await workspace({ model: nonNegative, training: rough, compression });
    const error = await userErrorOf(() => place.run());
    expect(error.message).toMatch(
      /compression\.layers\.fc1: fc1\/kernel has the constraint NonNeg, which does not work with the policy "factors"/,
    );
  });

  test('that fails is told before the training, with its class and the weight', async () => {
    const place = await workspace({ model: nonNegative.replace('tf.maximum(w, 0.1)', 'tf.sum(w)'), training: rough });
    expect((await userErrorOf(() => place.run())).message).toBe(
      'The constraint AtLeast of plain/scale cannot be applied: it returns [] for [16].',
    );
  });
});
