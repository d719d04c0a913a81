import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { userErrorOf } from '../../userErrorOf.ts';
import { Random } from '../../../../server/formats/random.ts';
import { changeWeight, difference, randomize, thinned } from './thinned.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

const { layers } = tf;

/** They add up to 10, their squares to 35.38. */
const SPECTRUM = [5, 3, 1, 0.5, 0.3, 0.2];

/** A dense layer with these singular values. */
function withSpectrum(values: readonly number[], size = 20): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      layers.dense({ name: 'fc', units: size, activation: 'tanh', inputShape: [size] }),
      layers.dense({ name: 'last', units: 2 }),
    ],
  });
  randomize(model);
  const orthogonal = (seed: number) =>
    tf.linalg.gramSchmidt(tf.randomNormal([size, size], 0, 1, 'float32', seed)) as tf.Tensor2D;
  const diagonal = tf.diag(tf.tensor1d(Array.from({ length: size }, (_, i) => values[i] ?? 0)));
  const kernel = tf.matMul(tf.matMul(orthogonal(1), diagonal as tf.Tensor2D), orthogonal(2));
  model.getLayer('fc').setWeights([kernel, tf.zeros([size])]);
  return model;
}

/** Makes a kernel one of low rank: random factors, multiplied. */
function lowerRank(model: tf.LayersModel, name: string, rank: number): void {
  const [kernel, ...rest] = model.getLayer(name).getWeights();
  const units = kernel.shape.at(-1)!;
  const random = new Random(3);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => random.uniform() - 0.5);
  const left = tf.tensor(numbers((kernel.size / units) * rank), [kernel.size / units, rank]);
  const right = tf.tensor(numbers(rank * units), [rank, units]);
  model.getLayer(name).setWeights([tf.reshape(tf.matMul(left, right), kernel.shape), ...rest]);
}

describe('the rank of a layer', () => {
  test.each([
    // Their sum is 10, and 5 + 3 of them 8: float32 has no ties.
    [0.79, 'values', 2],
    [0.81, 'values', 3],
    [0.89, 'values', 3],
    [0.94, 'values', 4],
    [1, 'values', 6],
    [0.8, 'squares', 2],
    [0.9, 'squares', 2],
    [0.95, 'squares', 2],
    [1, 'squares', 6],
  ] as const)('keeps %d of the sum of its %s', async (energy, of, rank) => {
    const { report } = await thinned(withSpectrum(SPECTRUM), { energy, of });
    expect(report.layers.map((layer) => layer.rank)).toEqual([rank, undefined]);
  });

  test('is the largest useful one at most: r (S + K) < S K', async () => {
    // 20 x 20: 9 is the largest rank that pays.
    const ofRank = (rank: number) => withSpectrum(Array.from({ length: rank }, (_, i) => 2 - i / 100));
    const rankOf = async (rank: number) =>
      (await thinned(ofRank(rank), { energy: 1, of: 'values' })).report.layers[0].rank;
    expect([await rankOf(9), await rankOf(10)]).toEqual([9, undefined]);
  });

  test('of a layer of zeros is 1, and its biases stay', async () => {
    const model = withSpectrum([]);
    changeWeight(model, 'fc/bias', (_, place) => place / 10);
    // Its units put out constants, so that all but one go before.
    const { small, report } = await thinned(model, { energy: 0.9, of: 'values' });
    expect(report.layers[0].units).toEqual({ before: 20, after: 1 });
    expect(difference(model, small)).toBeLessThan(1e-5);
  });
});

describe('layers of low rank are two layers, which put out the same', () => {
  const dense = () =>
    tf.sequential({ layers: [layers.dense({ name: 'l', units: 16, activation: 'relu', inputShape: [4, 12] })] });
  const convolution = (settings: object) => () =>
    tf.sequential({
      layers: [
        layers.conv2d({ name: 'l', filters: 12, kernelSize: 3, activation: 'elu', inputShape: [9, 8, 4], ...settings }),
      ],
    });
  test.each<[string, () => tf.Sequential, number[], number[]]>([
    ['dense', dense, [12, 2], [2, 16]],
    ['a convolution', convolution({}), [3, 3, 4, 2], [1, 1, 2, 12]],
    ['with a border', convolution({ padding: 'same', useBias: false }), [3, 3, 4, 2], [1, 1, 2, 12]],
    ['with strides', convolution({ strides: [2, 1], padding: 'same' }), [3, 3, 4, 2], [1, 1, 2, 12]],
    ['with gaps', convolution({ dilationRate: 2 }), [3, 3, 4, 2], [1, 1, 2, 12]],
    [
      'of sequences',
      () =>
        tf.sequential({
          layers: [layers.conv1d({ name: 'l', filters: 9, kernelSize: 4, padding: 'same', inputShape: [7, 3] })],
        }),
      [4, 3, 2],
      [1, 2, 9],
    ],
    [
      'of volumes',
      () =>
        tf.sequential({ layers: [layers.conv3d({ name: 'l', filters: 9, kernelSize: 2, inputShape: [4, 4, 4, 2] })] }),
      [2, 2, 2, 2, 2],
      [1, 1, 1, 2, 9],
    ],
  ])('%s', async (_, make, left, right) => {
    const model = make();
    randomize(model);
    lowerRank(model, 'l', 2);
    const { small, report, shapeOf } = await thinned(model, { energy: 1, of: 'values' });
    expect([shapeOf('l_left/kernel'), shapeOf('l/kernel')]).toEqual([left, right]);
    expect(shapeOf('l_left/bias')).toBeUndefined();
    // The spectrum of a product of factors, in float32.
    expect(difference(model, small)).toBeLessThan(1e-5);
    const [layer] = report.layers;
    const [inputs, units] = [left.slice(0, -1), right.slice(-1)].map((shape) => shape.reduce((a, b) => a * b));
    const biases = shapeOf('l/bias')?.[0] ?? 0;
    expect(layer.parameters).toEqual({ before: inputs * units + biases, after: 2 * (inputs + units) + biases });
    const positions = (model.outputs[0].shape.slice(1, -1) as number[]).reduce((a, b) => a * b, 1);
    expect(layer.multiplyAdds).toEqual({ before: positions * inputs * units, after: positions * 2 * (inputs + units) });
  });

  test('with factors of equal norms, so that a training moves both alike', async () => {
    const model = withSpectrum([4, 1]);
    const { valuesOf } = await thinned(model, { energy: 1, of: 'values' });
    const [left, right] = [valuesOf('fc_left/kernel'), valuesOf('fc/kernel')];
    const norm = (values: number[]) => Math.hypot(...values);
    for (const direction of [0, 1]) {
      const ofLeft = norm(left.filter((_, i) => i % 2 === direction));
      const ofRight = norm(right.slice(direction * 20, (direction + 1) * 20));
      expect(ofLeft).toBeCloseTo(ofRight, 5);
      expect([2, 1]).toContain(Math.round(ofLeft));
    }
  });

  test('also where they are called twice, and within another model', async () => {
    const input = tf.input({ shape: [12] });
    const shared = layers.dense({ name: 'shared', units: 12, activation: 'tanh' });
    const twice = shared.apply(shared.apply(input)) as tf.SymbolicTensor;
    const inner = tf.sequential({ name: 'inner', layers: [layers.dense({ name: 'i', units: 12, inputShape: [12] })] });
    const model = tf.model({ inputs: input, outputs: inner.apply(twice) as tf.SymbolicTensor });
    randomize(model);
    lowerRank(model, 'shared', 2);
    const [kernel] = inner.getWeights();
    inner.setWeights([tf.outerProduct(tf.range(0, 12), tf.range(1, 13)), inner.getWeights()[1]]);
    expect(kernel.shape).toEqual([12, 12]);
    const { small, report } = await thinned(model, { energy: 1, of: 'values' });
    expect(report.layers.map(({ layer, rank }) => [layer, rank])).toEqual([
      ['shared', 2],
      ['inner/i', 1],
    ]);
    expect(difference(model, small)).toBeLessThan(1e-5);
  });
});

test('layers that cannot be two stay one', async () => {
  const model = tf.sequential({
    layers: [
      layers.depthwiseConv2d({ name: 'depthwise', kernelSize: 3, inputShape: [6, 6, 4] }),
      layers.reshape({ targetShape: [16, 4] }),
      layers.lstm({ name: 'lstm', units: 8, returnSequences: true }),
      layers.timeDistributed({ name: 'each', layer: layers.dense({ name: 'fc', units: 16 }) }),
      layers.globalAveragePooling1d({}),
    ],
  });
  randomize(model);
  for (const { name, shape } of [
    { name: 'lstm/kernel', shape: [4, 32] },
    { name: 'each/fc/kernel', shape: [8, 16] },
  ])
    changeWeight(model, name, (_, place) => place + 1, shape.length - 1);
  const { small, report } = await thinned(model, { energy: 0.5, of: 'values' });
  expect(report.layers.filter(({ rank }) => rank !== undefined)).toEqual([]);
  expect(difference(model, small)).toBe(0);
});

test('only the layers that are named become two', async () => {
  const model = withSpectrum(SPECTRUM);
  const { report } = await thinned(model, { energy: 0.9, of: 'values', layers: ['l*'] });
  expect(report.layers.map(({ rank }) => rank)).toEqual([undefined, undefined]);
  const error = await userErrorOf(() => thinned(model, { energy: 0.9, of: 'values', layers: ['fx'] }));
  expect(error.message).toBe("There is no layer 'fx' that can become two.");
  expect(error.remedy).toBe("Did you mean 'fc'? Dense layers and convolutions can: fc, last.");
});
