/** @file Models of modules that tests export. */

/** A model whose weights are more than what decodes them. */
export const wide = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ name: 'fc1', units: 300, activation: 'relu', inputShape: [8] }),
    tf.layers.dense({ name: 'fc2', units: 100, activation: 'relu' }),
    tf.layers.dense({ name: 'fc3', units: 3, activation: 'softmax' }),
  ] });
`;

/** Its layers take what is behind a name that is called twice, and two branches come together. */
export const branches = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => {
    const input = tf.input({ shape: [8] });
    const shared = tf.layers.dense({ name: 'shared', units: 60, activation: 'relu' });
    const widen = tf.layers.dense({ name: 'widen', units: 60, activation: 'tanh' });
    const one = shared.apply(widen.apply(input));
    const two = shared.apply(one);
    const sum = tf.layers.add().apply([one, two]);
    const outputs = tf.layers.dense({ units: 3, activation: 'softmax' }).apply(sum);
    return tf.model({ inputs: input, outputs });
  };
`;

/** Layers without names, a convolution, an LSTM within a wrapper, and one that PyTorch computes too. */
export const mixed = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.reshape({ targetShape: [4, 2], inputShape: [8] }),
    tf.layers.conv1d({ filters: 6, kernelSize: 2, activation: 'relu' }),
    tf.layers.batchNormalization({ scale: false }),
    tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 5, returnSequences: true }), mergeMode: 'concat' }),
    tf.layers.lstm({ name: 'standard', units: 7, recurrentActivation: 'sigmoid' }),
    tf.layers.dense({ units: 3, activation: 'softmax' }),
  ] });
`;

export const plainNormalizations = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ units: 12, activation: 'relu', inputShape: [8] }),
    tf.layers.layerNormalization({ scale: false, center: false }),
    tf.layers.batchNormalization({ scale: false, center: false }),
    tf.layers.dense({ units: 3, activation: 'softmax' }),
  ] });
`;

const prune = { method: 'prune', distortEvery: 5, layers: { fc2: { rate: 0.95 } } } as const;
const lowRank = { method: 'low-rank', distortEvery: 5, layers: { fc2: { rank: 10 } } } as const;
const quantize = { method: 'quantize', distortEvery: 5, layers: { 'fc*': { bits: 2 } } } as const;

/** A compression of `fc2` of {@link wide} by each method, and by two of them. */
export const compressions = {
  prune,
  quantize,
  'low-rank': lowRank,
  'prune and quantize': [prune, quantize],
  'low-rank and quantize': [lowRank, quantize],
} as const;
