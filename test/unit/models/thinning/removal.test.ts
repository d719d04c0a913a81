import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { changeWeight, clear, difference, randomize, ROUNDING, thinned } from './thinned.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

type Layer = tf.layers.Layer;
const { layers } = tf;

/** A sequential model with random weights. */
function sequence(...all: Layer[]): tf.Sequential {
  const model = tf.sequential({ layers: all });
  randomize(model);
  return model;
}

/** A functional model with random weights. */
function graph(shape: number[], make: (input: tf.SymbolicTensor) => tf.SymbolicTensor): tf.LayersModel {
  const input = tf.input({ shape });
  const model = tf.model({ inputs: input, outputs: make(input) });
  randomize(model);
  return model;
}

const on = (layer: Layer, ...inputs: tf.SymbolicTensor[]) =>
  layer.apply(inputs.length === 1 ? inputs[0] : inputs) as tf.SymbolicTensor;

describe('units with weights of 0 alone, in every surrounding', () => {
  const kinds = ['dense', 'valid', 'same'] as const;
  const normalizations = ['no normalization', 'normalized before the activation', 'normalized behind it'] as const;
  const surroundings = ['flattened', 'pooled', 'concatenated', 'added'] as const;
  type Kind = (typeof kinds)[number];

  /** Layers that make 6 units of an input, the second and fifth of which put out a constant other than 0. */
  function producer(name: string, kind: Kind, normalization: (typeof normalizations)[number]) {
    const activation = normalization === 'no normalization' || normalization.endsWith('it') ? 'tanh' : 'linear';
    const own =
      kind === 'dense'
        ? layers.dense({ name, units: 6, activation })
        : layers.conv2d({ name, filters: 6, kernelSize: 3, padding: kind, activation });
    const normalize = layers.batchNormalization({ name: `${name}_norm` });
    if (normalization === 'no normalization') return [own];
    return normalization.endsWith('it') ? [own, normalize] : [own, normalize, layers.reLU()];
  }

  const cases = kinds.flatMap((kind) =>
    normalizations.flatMap((normalization) =>
      surroundings.map((surrounding) => [kind, normalization, surrounding] as const),
    ),
  );
  test.each(cases)('%s, %s, %s', async (kind, normalization, surrounding) => {
    const isDense = kind === 'dense';
    const model = graph(isDense ? [5] : [7, 7, 2], (input) => {
      const branch = (name: string) =>
        producer(name, kind, normalization).reduce((signal, layer) => on(layer, signal), input);
      let signal = branch('one');
      if (surrounding === 'concatenated') signal = on(layers.concatenate(), signal, branch('two'));
      if (surrounding === 'added') signal = on(layers.add({ name: 'sum' }), signal, branch('two'));
      if (surrounding === 'pooled' && isDense)
        signal = on(layers.globalAveragePooling1d({}), on(layers.repeatVector({ n: 3 }), signal));
      if (surrounding === 'pooled' && !isDense) signal = on(layers.maxPooling2d({ poolSize: 2 }), signal);
      if (!isDense && surrounding !== 'flattened')
        signal = on(layers.conv2d({ name: 'next', filters: 4, kernelSize: 2, padding: kind }), signal);
      if (!isDense) signal = on(layers.flatten(), signal);
      return on(layers.dense({ name: 'last', units: 3 }), signal);
    });
    const hasTwo = surrounding === 'concatenated' || surrounding === 'added';
    clear(model, 'one/kernel', [1, 4]);
    if (hasTwo) clear(model, 'two/kernel', surrounding === 'added' ? [1, 3] : [0]);
    // All put out a number above 0: behind reLU, too.
    if (normalization.startsWith('normalized'))
      for (const name of hasTwo ? ['one', 'two'] : ['one'])
        changeWeight(model, `${name}_norm/beta`, (value) => Math.abs(value) + 3);

    const { small, left, kept } = await thinned(model);
    expect(difference(model, small)).toBeLessThan(ROUNDING);
    const stays = kind === 'same' && surrounding !== 'flattened';
    if (stays) {
      expect(left).toEqual({});
      expect(kept.join()).toContain('next pads its input with zeros');
    } else if (surrounding === 'added') {
      expect(left).toEqual({ one: 5, two: 5 });
      expect(kept.join()).toContain('they meet others in sum');
    } else expect(left).toEqual(surrounding === 'concatenated' ? { one: 4, two: 5 } : { one: 4 });
  });

  test.each(['same', 'valid'] as const)(
    'units that put out 0 go also before a convolution with padding %s',
    async (padding) => {
      const model = sequence(
        layers.conv2d({ name: 'c1', filters: 5, kernelSize: 3, padding, activation: 'relu', inputShape: [6, 6, 1] }),
        layers.conv2d({ name: 'c2', filters: 3, kernelSize: 3, padding, useBias: false }),
        layers.flatten(),
        layers.dense({ units: 2 }),
      );
      clear(model, 'c1/kernel', [0, 2]);
      changeWeight(model, 'c1/bias', (value, place) => (place === 0 ? 0 : place === 2 ? -1 : value));
      const { small, left, shapeOf } = await thinned(model);
      expect(left).toEqual({ c1: 3 });
      expect(shapeOf('c2/bias')).toBeUndefined();
      expect(difference(model, small)).toBeLessThan(ROUNDING);
    },
  );
});

describe('what a removed unit puts out', () => {
  test('is in the bias of the next layer, as one computes it by hand', async () => {
    const model = sequence(
      layers.dense({ name: 'fc1', units: 3, activation: 'relu', inputShape: [2] }),
      layers.dense({ name: 'fc2', units: 2 }),
    );
    clear(model, 'fc1/kernel', [1]);
    changeWeight(model, 'fc1/bias', () => 0.5);
    changeWeight(model, 'fc2/kernel', (_, unit) => [1, 2, 4][unit]);
    changeWeight(model, 'fc2/bias', (_, place) => [10, 20][place]);
    const { valuesOf, shapeOf } = await thinned(model);
    // relu(0.5) x 2 = 1
    expect(valuesOf('fc2/bias')).toEqual([11, 21]);
    expect(shapeOf('fc2/kernel')).toEqual([2, 2]);
  });

  test('gets a bias where the next layer has none', async () => {
    const model = sequence(
      layers.conv1d({ name: 'c1', filters: 4, kernelSize: 2, activation: 'sigmoid', inputShape: [8, 2] }),
      layers.conv1d({ name: 'c2', filters: 3, kernelSize: 3, dilationRate: 2, useBias: false }),
      layers.flatten(),
      layers.dense({ name: 'fc', units: 2, useBias: false }),
    );
    clear(model, 'c1/kernel', [3]);
    const { small, left, shapeOf } = await thinned(model);
    expect(left).toEqual({ c1: 3 });
    expect(shapeOf('c2/bias')).toEqual([3]);
    expect(shapeOf('fc/bias')).toBeUndefined();
    expect(difference(model, small)).toBeLessThan(ROUNDING);
  });

  test('can make the units of the next layer constants, which go as well', async () => {
    const model = sequence(
      layers.dense({ name: 'fc1', units: 4, activation: 'tanh', inputShape: [3] }),
      layers.dense({ name: 'fc2', units: 4, activation: 'tanh' }),
      layers.dense({ name: 'fc3', units: 2 }),
    );
    clear(model, 'fc1/kernel', [0]);
    // The second unit of fc2 reads the constant alone.
    changeWeight(model, 'fc2/kernel', (value) => value);
    const { left: before } = await thinned(model);
    expect(before).toEqual({ fc1: 3 });
    const kernel = model.getLayer('fc2').getWeights()[0].arraySync() as number[][];
    for (const row of kernel.slice(1)) row[1] = 0;
    model.getLayer('fc2').setWeights([tf.tensor(kernel), model.getLayer('fc2').getWeights()[1]]);
    const { small, left } = await thinned(model);
    expect(left).toEqual({ fc1: 3, fc2: 3 });
    expect(difference(model, small)).toBeLessThan(ROUNDING);
  });

  test('is the center of a normalization whose scale is 0, whatever comes', async () => {
    const model = sequence(
      layers.conv2d({ name: 'c1', filters: 4, kernelSize: 2, useBias: false, inputShape: [5, 5, 2] }),
      layers.batchNormalization({ name: 'norm' }),
      layers.activation({ activation: 'elu' }),
      layers.dropout({ rate: 0.5 }),
      layers.averagePooling2d({ poolSize: 2, padding: 'same' }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    );
    changeWeight(model, 'norm/gamma', (value, place) => (place === 2 ? 0 : value));
    const { small, left, shapeOf } = await thinned(model);
    expect(left).toEqual({ c1: 3 });
    for (const weight of ['gamma', 'beta', 'moving_mean', 'moving_variance'])
      expect(shapeOf(`norm/${weight}`)).toEqual([3]);
    expect(difference(model, small)).toBeLessThan(ROUNDING);
  });
});

test('a unit that nothing reads goes, and with it what only it reads', async () => {
  const model = sequence(
    layers.dense({ name: 'fc1', units: 4, activation: 'relu', inputShape: [3] }),
    layers.dense({ name: 'fc2', units: 3, activation: 'relu' }),
    layers.dense({ name: 'fc3', units: 2 }),
  );
  clear(model, 'fc3/kernel', [1], 0);
  const kernel = model.getLayer('fc2').getWeights()[0].arraySync() as number[][];
  kernel[2] = [0, 1, 0];
  model.getLayer('fc2').setWeights([tf.tensor(kernel), model.getLayer('fc2').getWeights()[1]]);
  const { small, left } = await thinned(model);
  expect(left).toEqual({ fc1: 3, fc2: 2 });
  expect(difference(model, small)).toBeLessThan(ROUNDING);
});

test('a layer keeps one unit where all of them could go, and this is said', async () => {
  const model = sequence(
    layers.dense({ name: 'fc1', units: 4, activation: 'relu', inputShape: [3] }),
    layers.dense({ name: 'fc2', units: 3 }),
  );
  clear(model, 'fc1/kernel', [0, 1, 2, 3]);
  const { small, left, kept } = await thinned(model);
  expect(left).toEqual({ fc1: 1 });
  expect(kept).toEqual(['1 of fc1: a layer has at least one unit', '3 of fc2: they are outputs of the model']);
  expect(difference(model, small)).toBeLessThan(ROUNDING);
});

test('outputs of the model stay, also those that a layer in the middle gives', async () => {
  const input = tf.input({ shape: [3] });
  const middle = layers.dense({ name: 'middle', units: 4, activation: 'relu' }).apply(input) as tf.SymbolicTensor;
  const last = layers.dense({ name: 'last', units: 2 }).apply(middle) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: [middle, last] });
  randomize(model);
  clear(model, 'middle/kernel', [0]);
  clear(model, 'last/kernel', [1]);
  const { left, kept, small } = await thinned(model);
  expect(left).toEqual({});
  expect(kept).toEqual(['1 of middle: they are outputs of the model', '1 of last: they are outputs of the model']);
  expect(difference(model, small)).toBe(0);
});

describe('layers that units go through', () => {
  const cases: [
    name: string,
    model: () => tf.LayersModel,
    clear: [string, number[]][],
    left: Record<string, number>,
  ][] = [
    [
      'a depthwise convolution',
      () =>
        sequence(
          layers.conv2d({ name: 'c1', filters: 4, kernelSize: 2, activation: 'relu', inputShape: [5, 5, 2] }),
          layers.depthwiseConv2d({ name: 'd', kernelSize: 2, depthMultiplier: 2, activation: 'tanh' }),
          layers.conv2d({ name: 'c2', filters: 3, kernelSize: 2 }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ),
      [['c1/kernel', [1]]],
      { c1: 3, d: 6 },
    ],
    [
      'a separable convolution',
      () =>
        sequence(
          layers.conv2d({ name: 'c1', filters: 4, kernelSize: 2, inputShape: [5, 5, 2] }),
          layers.separableConv2d({ name: 's', filters: 5, kernelSize: 2, activation: 'tanh' }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ),
      [
        ['c1/kernel', [1]],
        ['s/pointwise_kernel', [0, 4]],
      ],
      { c1: 3, s: 3 },
    ],
    [
      'a transposed convolution, whose own units go',
      () =>
        sequence(
          layers.conv2dTranspose({
            name: 't',
            filters: 4,
            kernelSize: 3,
            strides: 2,
            activation: 'sigmoid',
            inputShape: [3, 3, 2],
          }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ),
      [],
      { t: 3 },
    ],
    [
      'activations that have weights or settings',
      () =>
        sequence(
          layers.conv2d({ name: 'c1', filters: 4, kernelSize: 2, inputShape: [4, 4, 2] }),
          layers.prelu({ name: 'p', sharedAxes: [1, 2] } as never),
          layers.leakyReLU({ alpha: 0.3 }),
          layers.thresholdedReLU({ theta: -5 }),
          layers.upSampling2d({}),
          layers.cropping2D({ cropping: 1 } as never),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ),
      [['c1/kernel', [0, 3]]],
      { c1: 2 },
    ],
    [
      'a reshape that groups them anew',
      () =>
        sequence(
          layers.dense({ name: 'fc1', units: 12, activation: 'tanh', inputShape: [3] }),
          layers.reshape({ targetShape: [2, 2, 3] }),
          layers.conv2d({ name: 'c', filters: 2, kernelSize: 2 }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ),
      [['fc1/kernel', [1, 4, 7, 10, 0]]],
      {},
    ],
    [
      'an embedding',
      () =>
        sequence(
          layers.embedding({ name: 'e', inputDim: 7, outputDim: 4, inputLength: 5 }),
          layers.globalAveragePooling1d({}),
          layers.dense({ units: 2 }),
        ),
      [['e/embeddings', [2]]],
      { e: 3 },
    ],
    [
      'layers at each time step',
      () =>
        sequence(
          layers.timeDistributed({
            name: 'each',
            layer: layers.dense({ name: 'fc', units: 4, activation: 'relu' }),
            inputShape: [3, 5],
          }),
          layers.timeDistributed({ name: 'then', layer: layers.dense({ name: 'fc2', units: 3, useBias: false }) }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ),
      [['each/fc/kernel', [1]]],
      { 'each/fc': 3 },
    ],
    [
      'a gate that multiplies',
      () =>
        graph([6, 6, 2], (input) => {
          const image = on(layers.conv2d({ name: 'c1', filters: 4, kernelSize: 3, activation: 'relu' }), input);
          const gate = on(
            layers.dense({ name: 'gate', units: 4, activation: 'sigmoid' }),
            on(layers.globalAveragePooling2d({}), image),
          );
          const product = on(layers.multiply(), image, on(layers.reshape({ targetShape: [1, 1, 4] }), gate));
          return on(layers.dense({ units: 2 }), on(layers.flatten(), product));
        }),
      [['c1/kernel', [2]]],
      {},
    ],
  ];
  test.each(cases)('%s', async (name, make, cleared, left) => {
    const model = make();
    if (name.startsWith('a transposed')) clear(model, 't/kernel', [1], 2);
    for (const [weight, places] of cleared) clear(model, weight, places);
    if (name.startsWith('a gate')) {
      // What is multiplied with 0 is 0, and the gate's unit is read by nothing else.
      changeWeight(model, 'c1/bias', (value, place) => (place === 2 ? -1 : value));
      Object.assign(left, { c1: 3, gate: 3 });
    }
    if (name.startsWith('a reshape')) {
      changeWeight(model, 'fc1/bias', (value, place) => (place % 3 === 1 ? 0.7 : value));
      Object.assign(left, { fc1: 8 });
    }
    const inputs =
      name === 'an embedding'
        ? [
            tf.tensor2d(
              [
                [0, 1, 2, 3, 6],
                [4, 5, 0, 1, 2],
              ],
              [2, 5],
            ),
          ]
        : undefined;
    const result = await thinned(model);
    expect(result.left).toEqual(left);
    expect(difference(model, result.small, inputs)).toBeLessThan(ROUNDING);
  });
});

describe('layers that are called several times', () => {
  const shared = () => {
    const fc = layers.dense({ name: 'shared', units: 4, activation: 'relu' });
    return graph([6], (input) => {
      const [one, two] = ['a', 'b'].map((name) => on(layers.dense({ name, units: 3, activation: 'tanh' }), input));
      return on(layers.dense({ name: 'last', units: 2 }), on(layers.concatenate(), on(fc, one), on(fc, two)));
    });
  };

  test('lose a unit in all calls, and one that they read where it is the same constant in all', async () => {
    const model = shared();
    clear(model, 'shared/kernel', [2]);
    for (const name of ['a', 'b']) {
      clear(model, `${name}/kernel`, [0]);
      changeWeight(model, `${name}/bias`, (value, place) => (place === 0 ? 0.3 : value));
    }
    const { small, left } = await thinned(model);
    expect(left).toEqual({ a: 2, b: 2, shared: 3 });
    expect(difference(model, small)).toBeLessThan(ROUNDING);
  });

  test('keep what is another constant in each call', async () => {
    const model = shared();
    for (const name of ['a', 'b']) clear(model, `${name}/kernel`, [0]);
    const { small, left, kept } = await thinned(model);
    expect(left).toEqual({});
    expect(kept).toEqual([
      '1 of a: they meet others in shared, which do not put out the same for every sample',
      '1 of b: they meet others in shared, which do not put out the same for every sample',
    ]);
    expect(difference(model, small)).toBe(0);
  });
});

describe('models within models', () => {
  test.each(['functional', 'sequential'])('a %s one shrinks where it is entered and left', async (kind) => {
    const inner = () => {
      if (kind === 'sequential')
        return tf.sequential({
          name: 'inner',
          layers: [
            layers.dense({ name: 'i1', units: 5, activation: 'relu', inputShape: [4] }),
            layers.dense({ name: 'i2', units: 3, activation: 'tanh', useBias: false }),
          ],
        });
      const input = tf.input({ shape: [4], name: 'inner_input' });
      const first = on(layers.dense({ name: 'i1', units: 5, activation: 'relu' }), input);
      return tf.model({
        name: 'inner',
        inputs: input,
        outputs: on(layers.dense({ name: 'i2', units: 3, activation: 'tanh', useBias: false }), first),
      });
    };
    const model = sequence(
      layers.dense({ name: 'outer', units: 4, activation: 'sigmoid', inputShape: [3] }),
      inner() as unknown as Layer,
      layers.dense({ name: 'last', units: 2 }),
    );
    clear(model, 'outer/kernel', [1]);
    clear(model, 'inner/i1/kernel', [0, 4]);
    clear(model, 'inner/i2/kernel', [2]);
    const { small, left } = await thinned(model);
    expect(left).toEqual({ outer: 3, 'inner/i1': 3, 'inner/i2': 2 });
    expect(difference(model, small)).toBeLessThan(ROUNDING);
  });

  test('one that is the first layer of another', async () => {
    const first = tf.sequential({
      name: 'inner',
      layers: [layers.dense({ name: 'i1', units: 5, activation: 'relu', inputShape: [4] })],
    });
    const model = sequence(first as unknown as Layer, layers.dense({ name: 'last', units: 2 }));
    clear(model, 'inner/i1/kernel', [0, 4]);
    const { small, left } = await thinned(model);
    expect(left).toEqual({ 'inner/i1': 3 });
    expect(difference(model, small)).toBeLessThan(ROUNDING);
  });
});

describe('recurrent layers', () => {
  const kinds = { lstm: [4, 2], gru: [3, 2], simpleRNN: [1, 0] } as const;
  type Kind = keyof typeof kinds;
  const UNITS = 5;

  function recurrent(kind: Kind, returnSequences = true): Layer {
    return layers[kind]({
      name: 'r',
      units: UNITS,
      returnSequences,
      recurrentInitializer: 'zeros',
      inputShape: [4, 3],
    });
  }

  /** Makes the candidate of units 0; their other gates keep their weights. */
  function silence(model: tf.LayersModel, layer: string, kind: Kind, units: readonly number[], bias = 0): void {
    const [, gate] = kinds[kind];
    const columns = units.map((unit) => gate * UNITS + unit);
    clear(model, `${layer}/kernel`, columns);
    clear(model, `${layer}/recurrent_kernel`, columns);
    changeWeight(model, `${layer}/bias`, (value, place) => (columns.includes(place) ? bias : value));
  }

  test.each(Object.keys(kinds) as Kind[])(
    '%s loses the units whose state stays 0, with all their gates',
    async (kind) => {
      const model = sequence(recurrent(kind), layers.dense({ units: 2 }));
      silence(model, 'r', kind, [1, 3]);
      const { small, left, shapeOf } = await thinned(model);
      expect(left).toEqual({ r: 3 });
      const [gates] = kinds[kind];
      expect([shapeOf('r/kernel'), shapeOf('r/recurrent_kernel'), shapeOf('r/bias')]).toEqual([
        [3, 3 * gates],
        [3, 3 * gates],
        [3 * gates],
      ]);
      expect(difference(model, small)).toBeLessThan(ROUNDING);
    },
  );

  test.each(Object.keys(kinds) as Kind[])('%s loses units that read each other and nothing else', async (kind) => {
    const model = sequence(recurrent(kind, false), layers.dense({ units: 2 }));
    silence(model, 'r', kind, [1, 3]);
    const [gates, gate] = kinds[kind];
    changeWeight(model, 'r/recurrent_kernel', (value) => value);
    const [kernel, recurrentKernel, bias] = model.getLayer('r').getWeights();
    const values = recurrentKernel.arraySync() as number[][];
    values[1][gate * UNITS + 3] = 0.5;
    values[3][gate * UNITS + 1] = -0.5;
    expect(values[0]).toHaveLength(gates * UNITS);
    model.getLayer('r').setWeights([kernel, tf.tensor(values), bias]);
    const { small, left } = await thinned(model);
    expect(left).toEqual({ r: 3 });
    expect(difference(model, small)).toBeLessThan(ROUNDING);
  });

  test.each(Object.keys(kinds) as Kind[])('%s keeps a unit whose candidate has a bias, and says so', async (kind) => {
    const model = sequence(recurrent(kind), layers.dense({ units: 2 }));
    const gates = Array.from({ length: kinds[kind][0] }, (_, gate) => gate * UNITS + 1);
    clear(model, 'r/kernel', gates);
    clear(model, 'r/recurrent_kernel', gates);
    const { small, left, kept } = await thinned(model);
    expect(left).toEqual({});
    expect(kept).toContain('1 of r: their state does not stay 0');
    expect(difference(model, small)).toBe(0);
  });

  test.each(['concat', 'sum', 'ave', 'mul'] as const)('in both directions, joined by %s', async (mergeMode) => {
    const wrapped = layers.lstm({ name: 'r', units: UNITS, returnSequences: true });
    const model = sequence(
      layers.dense({ name: 'fc', units: 4, activation: 'tanh', inputShape: [6, 3] }),
      layers.bidirectional({ name: 'both', layer: wrapped as never, mergeMode }),
      layers.dense({ units: 2 }),
    );
    clear(model, 'fc/kernel', [0]);
    for (const direction of ['forward', 'backward']) silence(model, `both/${direction}_r`, 'lstm', [2]);
    const { small, left } = await thinned(model);
    expect(left).toEqual({ fc: 3, 'both/forward_r': 4, 'both/backward_r': 4 });
    expect(difference(model, small)).toBeLessThan(ROUNDING);
  });

  test('give what they read to their bias', async () => {
    const model = sequence(
      layers.dense({ name: 'fc', units: 4, activation: 'tanh', inputShape: [6, 3] }),
      layers.gru({ name: 'r', units: 3, useBias: false }),
      layers.dense({ units: 2 }),
    );
    clear(model, 'fc/kernel', [0]);
    const { small, left, shapeOf } = await thinned(model);
    expect(left).toEqual({ fc: 3 });
    expect(shapeOf('r/bias')).toEqual([9]);
    expect(difference(model, small)).toBeLessThan(ROUNDING);
  });
});

describe('layers that are not followed keep what is before them, and are named', () => {
  class Doubled extends layers.Layer {
    static className = 'Doubled';
    override call(inputs: tf.Tensor | tf.Tensor[]) {
      return tf.mul([inputs].flat()[0], 2);
    }
  }
  tf.serialization.registerClass(Doubled as never);

  test.each<[string, () => Layer, string]>([
    ['a class of its own', () => new Doubled({ name: 'mine' }), 'mine is of the class Doubled, which is not followed'],
    ['softmax', () => layers.softmax({ name: 'soft' }), 'soft computes with all of them together'],
    [
      'an activation over all',
      () => layers.activation({ name: 'soft', activation: 'softmax' }),
      'soft applies softmax to all of them together',
    ],
    [
      'layer normalization',
      () => layers.layerNormalization({ name: 'norm' }),
      'norm computes with all of them together',
    ],
  ])('%s', async (_, make, reason) => {
    const model = sequence(
      layers.dense({ name: 'fc1', units: 4, activation: 'relu', inputShape: [3] }),
      make(),
      layers.dense({ name: 'fc2', units: 4, activation: 'relu' }),
      layers.dense({ name: 'fc3', units: 2 }),
    );
    clear(model, 'fc1/kernel', [1]);
    clear(model, 'fc2/kernel', [1]);
    const { small, left, kept } = await thinned(model);
    expect(left).toEqual({ fc2: 3 });
    expect(kept).toEqual([`1 of fc1: ${reason}`]);
    expect(difference(model, small)).toBeLessThan(ROUNDING);
  });
});
