import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { madeUpName } from '../../../../server/protocol/model/madeUpNames.ts';
import { processorTime } from '../../processorTime.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const { layers } = tf;

class Private extends tf.layers.Layer {
  static readonly className = '_Hidden2';
}

describe('a name that TensorFlow.js made up is told, with the class of its layer', () => {
  const cell = () => layers.lstmCell({ units: 2 });
  const makers: (() => tf.layers.Layer)[] = [
    () => layers.dense({ units: 2 }),
    () => layers.conv2d({ filters: 2, kernelSize: 2 }),
    () => layers.conv2dTranspose({ filters: 2, kernelSize: 2 }),
    () => layers.depthwiseConv2d({ kernelSize: 2 }),
    () => layers.convLstm2d({ filters: 2, kernelSize: 2 }),
    () => layers.globalAveragePooling1d({}),
    () => layers.leakyReLU(),
    () => layers.prelu(),
    () => layers.elu(),
    () => layers.gru({ units: 2 }),
    cell,
    () => layers.rnn({ cell: cell() as never }),
    () => layers.timeDistributed({ layer: layers.dense({ units: 2 }) }),
    () => new Private({}),
    () => tf.sequential(),
    () => {
      const inputs = tf.input({ shape: [2] });
      return tf.model({ inputs, outputs: layers.reLU().apply(inputs) as tf.SymbolicTensor });
    },
  ];

  test.each(makers)('%s', (make) => {
    const [first, second] = [make(), make()].map((layer) => ({ name: layer.name, of: madeUpName(layer.name) }));
    expect(first.of?.layerClass).toBe(make().getClassName());
    expect(second.of).toEqual({ ...first.of, number: first.of!.number + 1 });
    expect(first.name).toBe(`${first.of!.prefix}${first.of!.number}`);
  });

  test('the layers of a bidirectional one', () => {
    const both = layers.bidirectional({ layer: layers.gru({ units: 2 }), mergeMode: 'concat' } as never);
    const { forwardLayer, backwardLayer } = both as unknown as Record<string, tf.layers.Layer>;
    expect(madeUpName(forwardLayer.name)).toMatchObject({ prefix: 'forward_gru_GRU', layerClass: 'GRU' });
    expect(madeUpName(backwardLayer.name)).toMatchObject({ prefix: 'backward_gru_GRU', layerClass: 'GRU' });
  });

  test('a class that ends with digits, at a number of two', () => {
    expect(madeUpName('block2_Block213')).toEqual({ prefix: 'block2_Block2', number: 13, layerClass: 'Block2' });
  });
});

test.each([
  'enc_Layer0',
  'enc_Layer1',
  'fpn_P3',
  'head_A1',
  'res_Conv2D1',
  'dense_Dense',
  'dense_Dense0',
  'dense_Dense01',
  'dense_1',
  'conv1',
  'my_dense_Dense1',
  'sequential_',
  'model',
  'submodel1',
  '_Dense1',
  '',
])('the name %s is its author’s', (name) => {
  expect(madeUpName(name)).toBeUndefined();
});

test('names that were made to take long are told in bounded time', () => {
  const names = [`${'_'.repeat(150)}A1`, `${'a_'.repeat(60)}${'A1'.repeat(30)}`, `a_A${'1'.repeat(190)}`];
  const all = () => {
    for (let i = 0; i < 2000; i++) names.forEach(madeUpName);
  };
  expect(processorTime(all)).toBeLessThan(5000);
});
