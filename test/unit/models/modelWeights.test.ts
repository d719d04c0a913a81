import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { modelWeights } from '../../../server/models/modelWeights.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const { layers } = tf;
const names = (model: tf.LayersModel) => modelWeights(model).map(({ name }) => name);

describe('weights have unique names that do not depend on what the process created before', () => {
  test.each<[string, () => tf.LayersModel, string[]]>([
    [
      'named layers',
      () => tf.sequential({ layers: [layers.dense({ name: 'fc1', units: 2, inputShape: [3] })] }),
      ['fc1/kernel', 'fc1/bias'],
    ],
    [
      'unnamed layers',
      () =>
        tf.sequential({
          layers: [layers.dense({ units: 2, inputShape: [3] }), layers.dense({ units: 2, useBias: false })],
        }),
      ['dense_Dense1/kernel', 'dense_Dense1/bias', 'dense_Dense2/kernel'],
    ],
    [
      'named layers whose names end as unnamed ones do',
      () => {
        const names = ['enc_Layer0', 'enc_Layer1', 'fpn_P3', 'fpn_P5', 'model0'];
        return tf.sequential({
          layers: names.map((name) => layers.dense({ name, units: 3, inputShape: [3], useBias: false })),
        });
      },
      ['enc_Layer0/kernel', 'enc_Layer1/kernel', 'fpn_P3/kernel', 'fpn_P5/kernel', 'model0/kernel'],
    ],
    [
      'a recurrent layer and its cell',
      () => tf.sequential({ layers: [layers.lstm({ name: 'lstm', units: 2, inputShape: [4, 3] })] }),
      ['lstm/kernel', 'lstm/recurrent_kernel', 'lstm/bias'],
    ],
    [
      'stacked cells',
      () => {
        const cell = [
          layers.simpleRNNCell({ units: 2, useBias: false }),
          layers.simpleRNNCell({ units: 2, useBias: false }),
        ];
        return tf.sequential({ layers: [layers.rnn({ name: 'rnn', cell, inputShape: [4, 3] } as never)] });
      },
      ['rnn/kernel', 'rnn/recurrent_kernel', 'rnn/kernel_1', 'rnn/recurrent_kernel_1'],
    ],
    [
      'bidirectional',
      () => {
        const layer = layers.simpleRNN({ name: 'rnn', units: 2, useBias: false }) as never;
        return tf.sequential({ layers: [layers.bidirectional({ name: 'both', layer, inputShape: [4, 3] } as never)] });
      },
      [
        'both/forward_rnn/kernel',
        'both/forward_rnn/recurrent_kernel',
        'both/backward_rnn/kernel',
        'both/backward_rnn/recurrent_kernel',
      ],
    ],
    [
      'bidirectional around an unnamed layer',
      () => {
        const layer = layers.simpleRNN({ units: 2, useBias: false }) as never;
        return tf.sequential({ layers: [layers.bidirectional({ name: 'both', layer, inputShape: [4, 3] } as never)] });
      },
      [
        'both/forward_simple_rnn_SimpleRNN1/kernel',
        'both/forward_simple_rnn_SimpleRNN1/recurrent_kernel',
        'both/backward_simple_rnn_SimpleRNN1/kernel',
        'both/backward_simple_rnn_SimpleRNN1/recurrent_kernel',
      ],
    ],
    [
      'timeDistributed',
      () => {
        const layer = layers.dense({ units: 2 });
        return tf.sequential({
          layers: [layers.timeDistributed({ name: 'each', layer, inputShape: [4, 3] } as never)],
        });
      },
      ['each/dense_Dense1/kernel', 'each/dense_Dense1/bias'],
    ],
    [
      'nested models',
      () => {
        const encoder = () =>
          tf.sequential({ layers: [layers.dense({ name: 'fc', units: 3, inputShape: [3], useBias: false })] });
        return tf.sequential({ layers: [encoder(), encoder()] });
      },
      ['sequential_1/fc/kernel', 'sequential_2/fc/kernel'],
    ],
  ])('%s', (_, create, expected) => {
    expect(names(create())).toEqual(expected);
    expect(names(create())).toEqual(expected);
  });
});

test('a layer that is used twice has its weights once', () => {
  const input = tf.input({ shape: [3] });
  const shared = layers.dense({ name: 'shared', units: 3, useBias: false });
  const outputs = shared.apply(shared.apply(input)) as tf.SymbolicTensor;
  expect(names(tf.model({ inputs: input, outputs }))).toEqual(['shared/kernel']);
});

test('a weight has its shape, its variable, and whether it is trained', () => {
  const model = tf.sequential({
    layers: [
      layers.dense({ name: 'frozen', units: 2, inputShape: [3], trainable: false, useBias: false }),
      layers.batchNormalization({ name: 'norm' }),
    ],
  });
  const weights = modelWeights(model);
  expect(weights.map(({ name, trainable }) => `${name} ${trainable}`)).toEqual([
    'frozen/kernel false',
    'norm/gamma true',
    'norm/beta true',
    'norm/moving_mean false',
    'norm/moving_variance false',
  ]);
  const [{ layer, weight, shape, variable }] = weights;
  expect({ layer, weight, shape }).toEqual({ layer: 'frozen', weight: 'kernel', shape: [3, 2] });
  variable.assign(tf.ones([3, 2]));
  expect([...(model.predict(tf.ones([1, 3])) as tf.Tensor).shape]).toEqual([1, 2]);
  expect(model.getLayer('frozen').getWeights()[0].dataSync()).toEqual(new Float32Array(6).fill(1));
});

test('a weight knows the layer whose output it multiplies, past dropout, and past nothing else', () => {
  const recurrent = (name: string) => layers.simpleRNN({ name, units: 2, useBias: false, returnSequences: true });
  const model = tf.sequential({
    layers: [
      layers.embedding({ name: 'embedding', inputDim: 5, outputDim: 2, inputLength: 3 }),
      recurrent('rnn1'),
      layers.dropout({ rate: 0.5 }),
      recurrent('rnn2'),
      layers.timeDistributed({ name: 'logits', layer: layers.dense({ name: 'dense', units: 4, useBias: false }) }),
      layers.activation({ activation: 'relu', name: 'relu' }),
      layers.dense({ name: 'last', units: 4, useBias: false }),
    ],
  });
  expect(modelWeights(model).map(({ name, inputLayer }) => [name, inputLayer])).toEqual([
    ['embedding/embeddings', 'embedding_input'],
    ['rnn1/kernel', 'embedding'],
    ['rnn1/recurrent_kernel', undefined],
    ['rnn2/kernel', 'rnn1'],
    ['rnn2/recurrent_kernel', undefined],
    ['logits/dense/kernel', 'rnn2'],
    ['last/kernel', 'relu'],
  ]);
});
