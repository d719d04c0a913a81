/**
 * @file `npm run bench -- start-up`: what it takes from a model of 200 layers to its first training step, in processor time, each in a
 * process of its own as a run is.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beside, median, type Benchmark } from './bench.ts';
import { bundleContender } from './child.ts';
import type { StartUp, StartUpOptions } from './contenders/startUp.ts';
import { writeGpt2 } from './gpt2.ts';
import { cacheFolder } from './prepare.ts';

/** Seconds to the first step. */
const LIMIT = 3;

const label = { shape: [], dtype: 'int32' } as const;

const dense = `
  import * as tf from '@tensorflow/tfjs';
  export function createModel() {
    const input = tf.input({ shape: [64] });
    let x = input;
    for (let i = 0; i < 199; i++)
      x = tf.layers.dense({ name: 'fc' + i, units: 64, activation: 'relu' }).apply(x);
    return tf.model({ inputs: input, outputs: tf.layers.dense({ name: 'logits', units: 10 }).apply(x) });
  }`;

/** 57 convolutions with their normalizations, activations and additions. */
const residual = `
  import * as tf from '@tensorflow/tfjs';
  export function createModel() {
    const input = tf.input({ shape: [32, 32, 3] });
    const convolution = (name, x, filters, strides) =>
      tf.layers.batchNormalization({ name: name + '_norm' }).apply(
        tf.layers.conv2d({ name, filters, kernelSize: 3, strides, padding: 'same', useBias: false }).apply(x));
    let x = tf.layers.reLU().apply(convolution('first', input, 16, 1));
    for (const [stage, filters] of [16, 32, 64].entries())
      for (let i = 0; i < 9; i++) {
        const name = 'stage' + stage + '_' + i;
        const strides = i === 0 && stage > 0 ? 2 : 1;
        const inner = tf.layers.reLU().apply(convolution(name + '_a', x, filters, strides));
        const outer = convolution(name + '_b', inner, filters, 1);
        const shortcut = strides === 1 ? x : tf.layers.conv2d({ filters, kernelSize: 1, strides }).apply(x);
        x = tf.layers.reLU().apply(tf.layers.add().apply([outer, shortcut]));
      }
    x = tf.layers.globalAveragePooling2d({}).apply(x);
    return tf.model({ inputs: input, outputs: tf.layers.dense({ name: 'logits', units: 10 }).apply(x) });
  }`;

interface StartedModel extends Omit<StartUpOptions, 'model'> {
  /** Writes the model. @returns its path from the checkout */
  write(): string;
}

const models: Readonly<Record<string, StartedModel>> = {
  '200 dense layers': {
    write: () => module('dense-200', dense),
    input: { shape: [64], dtype: 'float32' },
    target: label,
    batchSize: 32,
  },
  'ResNet of 200 layers': {
    write: () => module('resnet-200', residual),
    input: { shape: [32, 32, 3], dtype: 'float32' },
    target: label,
    batchSize: 32,
  },
  'GPT-2 of 24 blocks, ONNX': {
    write() {
      const file = join('.cache', 'bench', 'models', 'gpt2-24.onnx');
      writeGpt2(file, { layers: 24, width: 64, heads: 4, words: 1000, length: 64 });
      return `./${file}`;
    },
    input: { shape: [64], dtype: 'int32' },
    target: { shape: [64], dtype: 'int32' },
    batchSize: 4,
  },
};

function module(name: string, text: string): string {
  const file = join('.cache', 'bench', 'models', `${name}.ts`);
  writeFileSync(file, text);
  return `./${file}`;
}

export default {
  options: { rounds: { type: 'string' }, only: { type: 'string' } },
  async run({ rounds = '5', only }) {
    cacheFolder('models');
    const script = join(cacheFolder('.'), 'startUp.mjs');
    await bundleContender(join('test', 'bench', 'contenders', 'startUp.ts'), script);
    return Object.entries(models)
      .filter(([name]) => only === undefined || name.includes(String(only)))
      .map(([name, { write, ...options }]) => {
        const argument = JSON.stringify({ ...options, model: write() } satisfies StartUpOptions);
        const runs = Array.from({ length: Number(rounds) }, () => startUp(script, argument));
        const seconds = (part: keyof StartUp['seconds']) => median(runs.map((run) => run.seconds[part]));
        const parts = Object.keys(runs[0].seconds) as (keyof StartUp['seconds'])[];
        const shares = parts.map((part) => `${part} ${seconds(part).toFixed(2)}`);
        const { trained, evaluated } = runs[0].nodes;
        console.log(
          `  ${name}: ${trained} nodes of a step, ${evaluated} of an evaluation; seconds: ${shares.join(', ')}`,
        );
        const totals = runs.map((run) => parts.reduce((sum, part) => sum + run.seconds[part], 0));
        return beside(LIMIT, name, median(totals), 's');
      });
  },
} satisfies Benchmark;

function startUp(script: string, argument: string): StartUp {
  const output = execFileSync(process.execPath, [script, argument], { encoding: 'utf8' });
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as StartUp;
}
