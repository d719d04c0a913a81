import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { followModel } from '../../../../server/models/topology/followModel.ts';
import type { Topology } from '../../../../server/models/topology/topology.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const { layers } = tf;

/** The places at which a unit of a layer stands, by weight and axis. */
function placesOf(topology: Topology, layer: string, unit: number): Record<string, number[][]> {
  const { groups, axes, producers } = topology;
  const group = groups.groupOf(producers.find((producer) => producer.layer === layer)!.units[unit]);
  const found = [...axes].flatMap(([weight, units]) => {
    const places = Array.from({ length: units.length }, (_, axis) =>
      (units[axis] ?? []).flatMap((one, place) => (groups.groupOf(one) === group ? [place] : [])),
    );
    return places.some(({ length }) => length > 0) && weight.includes('/') && !weight.includes(' of ')
      ? [[weight, places] as const]
      : [];
  });
  return Object.fromEntries(found);
}

describe('the entries that belong to a unit and those that read it', () => {
  test('of a convolution, through normalization, pooling and flattening', () => {
    const model = tf.sequential({
      layers: [
        layers.conv2d({ name: 'c', filters: 3, kernelSize: 3, inputShape: [6, 6, 2] }),
        layers.batchNormalization({ name: 'bn' }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.flatten(),
        layers.dense({ name: 'fc', units: 2 }),
      ],
    });
    expect(placesOf(followModel(model), 'c', 1)).toEqual({
      'c/kernel': [[], [], [], [1]],
      'c/bias': [[1]],
      'bn/gamma': [[1]],
      'bn/beta': [[1]],
      'bn/moving_mean': [[1]],
      'bn/moving_variance': [[1]],
      // Four pixels of three channels.
      'fc/kernel': [[1, 4, 7, 10], []],
    });
  });

  test.each([
    ['lstm', [2, 7, 12, 17]],
    ['gru', [2, 7, 12]],
    ['simpleRNN', [2]],
  ] as const)('of %s: a column of every gate, a row of the recurrent kernel', (kind, columns) => {
    const model = tf.sequential({
      layers: [layers[kind]({ name: 'r', units: 5, inputShape: [4, 3] }), layers.dense({ name: 'fc', units: 2 })],
    });
    expect(placesOf(followModel(model), 'r', 2)).toEqual({
      'r/kernel': [[], columns],
      'r/recurrent_kernel': [[2], columns],
      'r/bias': [columns],
      'fc/kernel': [[2], []],
    });
  });

  test('of layers whose outputs are added: of all of them', () => {
    const input = tf.input({ shape: [3] });
    const [one, two] = ['a', 'b'].map(
      (name) => layers.dense({ name, units: 4, useBias: false }).apply(input) as tf.SymbolicTensor,
    );
    const sum = layers.add({ name: 'sum' }).apply([one, two]) as tf.SymbolicTensor;
    const outputs = layers.dense({ name: 'fc', units: 2 }).apply(sum) as tf.SymbolicTensor;
    const topology = followModel(tf.model({ inputs: input, outputs }));
    expect(placesOf(topology, 'a', 3)).toEqual({
      'a/kernel': [[], [3]],
      'b/kernel': [[], [3]],
      'fc/kernel': [[3], []],
    });
    expect(topology.groups.meetingOf(topology.producers[1].units[3])).toBe('sum');
  });

  test('of layers behind one another in a concatenation', () => {
    const input = tf.input({ shape: [3] });
    const parts = ['a', 'b'].map(
      (name) => layers.dense({ name, units: 4, useBias: false }).apply(input) as tf.SymbolicTensor,
    );
    const all = layers.concatenate().apply(parts) as tf.SymbolicTensor;
    const outputs = layers.dense({ name: 'fc', units: 2 }).apply(all) as tf.SymbolicTensor;
    const topology = followModel(tf.model({ inputs: input, outputs }));
    expect(placesOf(topology, 'b', 1)).toEqual({ 'b/kernel': [[], [1]], 'fc/kernel': [[5], []] });
  });
});

test('says why units stay whatever the weights are', () => {
  const model = tf.sequential({
    layers: [
      layers.dense({ name: 'fc1', units: 4, inputShape: [5, 3] }),
      layers.permute({ name: 'turn', dims: [2, 1] }),
      layers.dense({ name: 'fc2', units: 2 }),
    ],
  });
  const { groups, producers } = followModel(model);
  expect(producers.map(({ layer, units }) => [layer, groups.obstacleOf(units[0])])).toEqual([
    ['fc1', 'turn moves them to another axis'],
    ['fc2', 'they are outputs of the model'],
  ]);
});

test('counts the multiply-adds of each layer for a sample', () => {
  const model = tf.sequential({
    layers: [
      layers.conv2d({ name: 'c', filters: 3, kernelSize: 3, inputShape: [6, 6, 2] }),
      layers.depthwiseConv2d({ name: 'd', kernelSize: 2, strides: 2 }),
      layers.conv2dTranspose({ name: 't', filters: 2, kernelSize: 2 }),
      layers.reshape({ targetShape: [9, 2] }),
      layers.timeDistributed({ name: 'each', layer: layers.dense({ name: 'fc', units: 4 }) }),
      layers.bidirectional({ name: 'both', layer: layers.lstm({ name: 'r', units: 5 }) as never, mergeMode: 'concat' }),
      layers.dense({ name: 'last', units: 7 }),
    ],
  });
  const steps = 9 * (4 * 20 + 5 * 20);
  expect(Object.fromEntries(followModel(model).multiplyAdds)).toEqual({
    c: 4 * 4 * (3 * 3 * 2 * 3),
    d: 2 * 2 * (2 * 2 * 3),
    t: 2 * 2 * (2 * 2 * 2 * 3),
    'each/fc': 9 * (2 * 4),
    'both/forward_r': steps,
    'both/backward_r': steps,
    last: 10 * 7,
  });
});
