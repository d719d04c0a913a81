import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { penaltiesOf } from '../../../../server/training/objective/penalties.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const L2 = 0.1;
const l2 = () => tf.regularizers.l2({ l2: L2 });
const dense = (units: number, inputShape?: number[]) =>
  tf.layers.dense({ units, kernelRegularizer: l2(), ...(inputShape && { inputShape }) });
const recurrent = { units: 3, kernelRegularizer: l2(), recurrentRegularizer: l2(), returnSequences: true };
const sequence = [4, 2];
const input = () => tf.input({ shape: [3] });

function calledTwice(): tf.LayersModel {
  const [a, b, layer] = [input(), input(), dense(2)];
  return tf.model({ inputs: [a, b], outputs: tf.layers.add().apply([layer.apply(a), layer.apply(b)] as tf.SymbolicTensor[]) as tf.SymbolicTensor }); // prettier-ignore
}

function functional(): tf.LayersModel {
  const x = input();
  const inner = tf.sequential({ layers: [dense(4, [3])] });
  return tf.model({ inputs: x, outputs: dense(1).apply(inner.apply(x)) as tf.SymbolicTensor });
}

test.each<[string, () => tf.LayersModel]>([
  ['dense layers', () => tf.sequential({ layers: [dense(4, [3]), dense(1)] })],
  ['a model that a Sequential begins with', () => tf.sequential({ layers: [tf.sequential({ layers: [dense(4, [3])] }), dense(1)] })], // prettier-ignore
  ['a model further in', functional],
  ['a layer that is called twice', calledTwice],
  ['an LSTM', () => tf.sequential({ layers: [tf.layers.lstm({ ...recurrent, inputShape: sequence })] })],
  ['a GRU', () => tf.sequential({ layers: [tf.layers.gru({ ...recurrent, inputShape: sequence })] })],
  ['a simple RNN', () => tf.sequential({ layers: [tf.layers.simpleRNN({ ...recurrent, inputShape: sequence })] })],
  ['both directions', () => tf.sequential({ layers: [tf.layers.bidirectional({ layer: tf.layers.lstm(recurrent) as tf.RNN, inputShape: sequence, mergeMode: 'concat' })] })], // prettier-ignore
  ['each time step', () => tf.sequential({ layers: [tf.layers.timeDistributed({ layer: dense(2), inputShape: sequence })] })], // prettier-ignore
])('each weight of %s is penalized once', (_, make) => {
  const model = make();
  const kernels = model.trainableWeights.filter(({ name }) => name.includes('kernel'));
  const squares = kernels.map((weight) => tf.sum(tf.square(weight.read())).dataSync()[0]);
  const penalties = penaltiesOf(model).map((penalty) => penalty.dataSync()[0]);
  expect(kernels.length).toBeGreaterThan(0);
  expect(penalties).toHaveLength(kernels.length);
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  expect(total(penalties)).toBeCloseTo(L2 * total(squares), 5);
});

test('a model without regularizers has none', () => {
  expect(penaltiesOf(tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] }))).toEqual([]);
});
