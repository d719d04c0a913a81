/** @file Small experiments that use every method, policy, optimizer and kind of layer: a few seconds of training each. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const prune = { method: 'prune', distortEvery: 10, schedule: { initialRate: 0.2, from: 20, to: 120 } };
const rates = { 'fc*': { rate: 0.7 } };
const bits = (/** @type {object} */ more) => ({ 'fc*': { bits: 2, ...more } });
const steps = (/** @type {object} */ optimizer, more = {}) => ({
  optimizer,
  loss: 'sparse-categorical-crossentropy',
  batchSize: 20,
  steps: 200,
  checkpointEvery: 50,
  threads: 1,
  ...more,
});
const adam = { type: 'adam', learningRate: 0.01 };
const momentum = { type: 'sgd', learningRate: 0.05, momentum: 0.9 };
const arrays = {
  type: 'arrays',
  train: { inputs: 'train.npy', targets: 'train-labels.npy' },
  test: { inputs: 'test.npy', targets: 'test-labels.npy' },
};
const text = {
  model: { builtin: 'lstm-lm', layers: 2, units: 16 },
  data: { type: 'text', path: './text', timeSteps: 8 },
  training: {
    optimizer: { type: 'sgd', learningRate: 1 },
    clip: { globalNorm: 5 },
    lossReduction: 'sum-over-time',
    learningRateSchedule: { type: 'after-epoch', epoch: 2, factor: 0.5 },
    batchSize: 4,
    epochs: 4,
    threads: 1,
  },
};

/** @param {string} model @param {object} training @param {object} [compression] */
const on = (model, training, compression) => ({ model: `./${model}.mjs`, data: arrays, training, compression });

/** `stopAt`: the run is stopped after the checkpoint of that step, and resumed. @type {{ name: string, stopAt?: number, experiment: object }[]} */
export const experiments = [
  { name: 'prune-deeptwist-adam', experiment: on('mlp', steps(adam), { ...prune, layers: rates }) },
  {
    name: 'prune-deeptwist-stopped',
    stopAt: 100,
    experiment: on('mlp', steps(adam), { ...prune, layers: rates }),
  },
  {
    name: 'prune-gradual-mask-momentum',
    experiment: on('mlp', steps(momentum), { ...prune, policy: 'gradual-mask', layers: rates }),
  },
  {
    name: 'prune-gradual-mask-stopped',
    stopAt: 100,
    experiment: on('mlp', steps(momentum), { ...prune, policy: 'gradual-mask', layers: rates }),
  },
  {
    name: 'prune-one-shot-rmsprop',
    experiment: on('mlp', steps({ type: 'rmsprop', learningRate: 0.003 }), {
      method: 'prune',
      policy: 'one-shot',
      distortEvery: 10,
      layers: rates,
    }),
  },
  {
    name: 'prune-straight-through-adagrad',
    experiment: on('mlp', steps({ type: 'adagrad', learningRate: 0.05 }), {
      ...prune,
      policy: 'straight-through',
      layers: rates,
    }),
  },
  {
    name: 'quantize-deeptwist-greedy',
    experiment: on('mlp', steps(adam), { method: 'quantize', distortEvery: 20, layers: bits({ algorithm: 'greedy' }) }),
  },
  {
    name: 'quantize-one-shot-refined',
    experiment: on('mlp', steps(momentum), {
      method: 'quantize',
      policy: 'one-shot',
      distortEvery: 20,
      layers: bits({ algorithm: 'refined', scales: 'matrix' }),
    }),
  },
  {
    name: 'quantize-straight-through-cnn',
    experiment: on('cnn', steps(adam), {
      method: 'quantize',
      policy: 'straight-through',
      distortEvery: 20,
      layers: { 'conv*': { bits: 3 }, fc: { bits: 2 } },
    }),
  },
  {
    name: 'low-rank-deeptwist-cnn',
    experiment: on('cnn', steps(momentum), { method: 'low-rank', distortEvery: 10, layers: { '*': { rank: 4 } } }),
  },
  {
    name: 'prune-deeptwist-residual',
    experiment: on('residual', steps(momentum), { ...prune, layers: { 'conv*': { rate: 0.7 } } }),
  },
  {
    name: 'low-rank-one-shot',
    experiment: on('mlp', steps(adam), {
      method: 'low-rank',
      policy: 'one-shot',
      distortEvery: 10,
      layers: { fc1: { rank: 3 } },
    }),
  },
  {
    name: 'low-rank-factors-stopped',
    stopAt: 100,
    experiment: on('mlp', steps(adam), {
      method: 'low-rank',
      policy: 'factors',
      distortEvery: 10,
      layers: { fc1: { rank: 3 } },
    }),
  },
  {
    name: 'custom-deeptwist',
    experiment: on('mlp', steps(adam), {
      method: 'custom',
      module: './custom.mjs',
      distortEvery: 25,
      layers: { 'fc*': { step: 0.05 } },
    }),
  },
  {
    name: 'language-model-prune',
    experiment: { ...text, compression: { ...prune, layers: { 'lstm*': { rate: 0.6 } } } },
  },
  {
    name: 'language-model-low-rank-shared',
    experiment: {
      ...text,
      compression: {
        method: 'low-rank',
        distortEvery: 20,
        layers: { 'lstm*': { rank: 6, sharedProjection: true } },
      },
    },
  },
  {
    name: 'language-model-quantize-straight-through',
    experiment: {
      ...text,
      compression: {
        method: 'quantize',
        policy: 'straight-through',
        distortEvery: 50,
        layers: { 'lstm*': { bits: 2 } },
      },
    },
  },
];

const models = {
  mlp: `
    import * as tf from '@tensorflow/tfjs';
    export const createModel = () => tf.sequential({ layers: [
      tf.layers.dense({ name: 'fc1', units: 24, activation: 'relu', inputShape: [64] }),
      tf.layers.dropout({ rate: 0.1 }),
      tf.layers.dense({ name: 'fc2', units: 4, activation: 'softmax' }),
    ] });`,
  cnn: `
    import * as tf from '@tensorflow/tfjs';
    export const createModel = () => tf.sequential({ layers: [
      tf.layers.reshape({ targetShape: [8, 8, 1], inputShape: [64] }),
      tf.layers.conv2d({ name: 'conv1', filters: 8, kernelSize: 3, activation: 'relu' }),
      tf.layers.batchNormalization({ name: 'norm' }),
      tf.layers.conv2d({ name: 'conv2', filters: 12, kernelSize: 3, padding: 'same', activation: 'relu' }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ name: 'fc', units: 4, activation: 'softmax' }),
    ] });`,
  // Two blocks of a ResNet: the second halves the image and has twice the channels.
  residual: `
    import * as tf from '@tensorflow/tfjs';
    const normalized = (name, filters, strides, relu) => (x) => {
      const conv = tf.layers.conv2d({ name, filters, kernelSize: 3, strides, padding: 'same', useBias: false }).apply(x);
      const y = tf.layers.batchNormalization({}).apply(conv);
      return relu ? tf.layers.reLU().apply(y) : y;
    };
    const block = (name, filters, strides) => (x) => {
      const y = normalized(name + 'b', filters, 1, false)(normalized(name + 'a', filters, strides, true)(x));
      const same = strides === 1 ? x : tf.layers.conv2d({ filters, kernelSize: 1, strides, useBias: false }).apply(x);
      return tf.layers.reLU().apply(tf.layers.add().apply([y, same]));
    };
    export function createModel() {
      const input = tf.input({ shape: [64] });
      const image = tf.layers.reshape({ targetShape: [8, 8, 1] }).apply(input);
      const features = block('conv3', 32, 2)(block('conv2', 16, 1)(normalized('conv1', 16, 1, true)(image)));
      const pooled = tf.layers.globalAveragePooling2d({}).apply(features);
      return tf.model({ inputs: input, outputs: tf.layers.dense({ name: 'fc', units: 4, activation: 'softmax' }).apply(pooled) });
    }`,
  custom: `
    export function distort(weights, shape, { parameters: { step } }) {
      for (let i = 0; i < weights.length; i++) weights[i] = Math.round(weights[i] / step) * step;
    }`,
};

/**
 * Writes models, data and experiments into a new folder.
 * @param {string} folder @returns {Promise<Record<string, string>>} experiment files by name
 */
export async function writeExperiments(folder) {
  mkdirSync(join(folder, 'text'), { recursive: true });
  for (const [name, source] of Object.entries(models)) writeFileSync(join(folder, `${name}.mjs`), source);
  const random = generator(1);
  for (const [split, samples] of /** @type {const} */ ([
    ['train', 400],
    ['test', 90],
  ])) {
    const labels = Float32Array.from({ length: samples }, () => Math.floor(random() * 4));
    const inputs = new Float32Array(samples * 64).map((_, i) => random() + Math.sin((i % 64) * (1 + labels[i >> 6])));
    writeFileSync(join(folder, `${split}.npy`), npy(inputs, `${samples}, 64`));
    writeFileSync(join(folder, `${split}-labels.npy`), npy(labels, `${samples},`));
  }
  for (const [split, sentences] of /** @type {const} */ ([
    ['train', 300],
    ['valid', 50],
    ['test', 50],
  ])) {
    const line = () => {
      const word = 'abcd'[Math.floor(random() * 4)];
      return `${word} m ${word}\n`;
    };
    writeFileSync(join(folder, 'text', `small.${split}.txt`), Array.from({ length: sentences }, line).join(''));
  }
  return Object.fromEntries(
    experiments.map(({ name, experiment }) => {
      const file = join(folder, `${name}.deeptwist.jsonc`);
      writeFileSync(file, JSON.stringify(experiment, null, 2));
      return [name, file];
    }),
  );
}

/** Linear congruential numbers in [0, 1), of Numerical Recipes: the same on every machine. @param {number} seed */
function generator(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** @param {Float32Array} values @param {string} shape @returns {Buffer} a .npy file of version 1.0 */
function npy(values, shape) {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
  const padded = header.padEnd(118 - 1) + '\n';
  const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  start.writeUInt16LE(padded.length, 8);
  return Buffer.concat([start, Buffer.from(padded, 'latin1'), Buffer.from(values.buffer)]);
}
