import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { topologicalOrder, type Graph } from '../../../../server/compiler/ir.ts';
import { makeSigmoidsPrecise } from '../../../../server/compiler/passes/preciseSigmoid.ts';
import { traceTraining } from '../../../../server/compiler/trace/traceProgram.ts';
import { losses } from '../../../../server/models/losses.ts';
import { compareExecutors } from '../compareExecutors.ts';
import { functionProgram, modelProgram } from '../programs.ts';

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const logits = [-60, -30, -21, -20, -18, -15, -5, 0, 5, 15];
const labels = (x: tf.Tensor) => tf.cast(tf.less(x, 0), 'float32');
const logit = (p: tf.Tensor) => tf.log(tf.div(p, tf.sub(1.001, p)));

const smallMatters: Record<string, (x: tf.Tensor, sample: tf.Tensor) => tf.Tensor> = {
  'a ranking loss': (x) => tf.neg(tf.log(tf.sigmoid(x))),
  'a focal loss': (x, sample) => {
    const p = tf.sigmoid(tf.mul(x, 0.9));
    const y = labels(sample);
    const ofLabel = tf.add(tf.mul(y, p), tf.mul(tf.sub(1, y), tf.sub(1, p)));
    return tf.mul(tf.square(tf.sub(1, ofLabel)), tf.log(ofLabel));
  },
  'normalized gates': (x) => {
    const p = tf.sigmoid(tf.slice(x, [0], [4]));
    return tf.square(tf.div(p, tf.sum(p)));
  },
  'log odds': (x) => logit(tf.sigmoid(x)),
  'a logarithm behind a bound': (x) => tf.log(tf.clipByValue(tf.sigmoid(x), 1e-12, 1)),
  'the logarithm of a product': (x) => tf.log(tf.prod(tf.sigmoid(tf.slice(x, [2], [3])))),
  'a root': (x) => tf.sqrt(tf.sigmoid(x)),
  'a power below 1': (x) => tf.pow(tf.sigmoid(x), 0.5),
  'the logarithm of a softplus': (x) => tf.log(tf.softplus(x)),
};

describe('A sigmoid whose small values matter', () => {
  it.each(Object.entries(smallMatters))('is that of TensorFlow.js down to -60 in %s', async (_, compute) => {
    // Also one by one, so that a small gradient that is lost is not hidden by large ones.
    for (const values of [logits, ...logits.map((logit) => [logit, logit, logit, logit, logit])]) {
      const program = functionProgram(
        { x: tf.tensor1d(values) },
        [{ dtype: 'float32', shape: [values.length] }],
        ({ x }, [sample]) => tf.sum(compute(x, tf.reshape(sample, [-1]))),
      );
      await compareExecutors(program, [{ size: 1, inputs: [Float32Array.from(values)], targets: [] }]);
    }
  });
});

describe('A sigmoid whose small values do not matter', () => {
  const count = (graph: Graph) => topologicalOrder(graph).filter(({ op }) => op === 'Sigmoid').length;

  const models: Record<string, () => tf.layers.Layer[]> = {
    'a gate of an LSTM': () => [
      layers.lstm({ units: 3, recurrentActivation: 'sigmoid', inputShape: [4, 2] }),
      layers.dense({ units: 3 }),
    ],
    'an activation before a normalization': () => [
      layers.dense({ units: 4, activation: 'sigmoid', inputShape: [3] }),
      layers.batchNormalization(),
      layers.dense({ units: 3, activation: 'swish' }),
      layers.layerNormalization(),
      layers.dense({ units: 3, activation: 'softmax' }),
    ],
  };

  it.each(Object.entries(models))('is left as it is: %s', async (_, create) => {
    const loss = losses['sparse-categorical-crossentropy-from-logits'];
    const graph = await traceTraining(
      modelProgram(tf.sequential({ layers: create() }), loss, { dtype: 'int32', shape: [] }),
      2,
    );
    expect(count(graph)).toBeGreaterThan(0);
    expect(makeSigmoidsPrecise(graph)).toBe(graph);
  });

  it('is left as it is: the gate of a network that a root of its mean square normalizes', async () => {
    const program = functionProgram(
      { w: tf.ones([3, 4]), scale: tf.ones([4]) },
      [{ dtype: 'float32', shape: [3] }],
      ({ w, scale }, [x]) => {
        const z = tf.matMul(x, w);
        const gated = tf.mul(z, tf.sigmoid(z));
        const norm = tf.sqrt(tf.add(tf.mean(tf.square(gated), -1, true), 1e-6));
        return tf.sum(tf.square(tf.mul(scale, tf.div(gated, norm))));
      },
    );
    const graph = await traceTraining(program, 2);
    expect(makeSigmoidsPrecise(graph)).toBe(graph);
  });
});
