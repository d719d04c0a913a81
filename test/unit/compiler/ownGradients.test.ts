/** @file What TensorFlow.js alone cannot train: its results compared with its own, its gradients with difference quotients. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import { EagerExecutor } from '../../../server/compiler/eagerExecutor.ts';
import type { Program } from '../../../server/compiler/program.ts';
import { compareExecutors } from './compareExecutors.ts';
import { denseGradient } from './denseGradient.ts';
import { expectClose } from './expectClose.ts';
import { functionProgram, modelProgram, randomBatch, randomizeWeights } from './programs.ts';

const { layers } = tf;
const BATCH = 2;
const settings = { seed: 1, stateBytes: () => 0 };

/** Half a step, and what the curvature of losses of numbers around 1 and rounding make of such a difference, relative to the largest. */
const STEP = 1e-2;
const TOLERANCE = 2e-3;

const compile = (program: Program) =>
  CompiledExecutor.create(program, { ...settings, batchSize: BATCH, threads: 1, rowGradients: false });

/** Holds the gradients of a step to central differences of its loss. */
async function expectDifferences(executor: CompiledExecutor, program: Program): Promise<void> {
  const batch = randomBatch(program, BATCH, 1);
  const loss = async () => (await executor.step(batch, 0)).loss;
  await loss();
  const trained = executor.parameters.list.filter(({ trainable }) => trainable);
  const gradients = trained.map((parameter) => denseGradient(parameter).slice());
  for (const [index, { name, value }] of trained.entries()) {
    const quotients: number[] = [];
    for (const [i, original] of value.entries()) {
      value[i] = original + STEP;
      const above = await loss();
      value[i] = original - STEP;
      quotients.push((above - (await loss())) / (2 * STEP));
      value[i] = original;
    }
    expectClose(`gradient of ${name}`, gradients[index], quotients, TOLERANCE);
  }
}

function programOf(inputShape: number[], ...made: tf.layers.Layer[]): Program {
  const x = tf.input({ shape: inputShape });
  const model = tf.model({
    inputs: x,
    outputs: made.reduce((y, layer) => layer.apply(y) as tf.SymbolicTensor, x),
  });
  const shape = model.outputs[0].shape.slice(1) as number[];
  const squaredError = (targets: tf.Tensor, outputs: tf.Tensor) => tf.mean(tf.squaredDifference(targets, outputs));
  const program = modelProgram(model, squaredError, { dtype: 'float32', shape });
  randomizeWeights(program, 3);
  return program;
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const dilated: Record<string, () => Program> = {
  conv1d: () =>
    programOf(
      [9, 2],
      layers.conv1d({ filters: 2, kernelSize: 2, dilationRate: 2 }),
      layers.conv1d({ filters: 2, kernelSize: 2, dilationRate: 4 }),
    ),
  conv2d: () => programOf([7, 7, 2], layers.conv2d({ filters: 2, kernelSize: 3, dilationRate: 2 })),
  'conv2d, same, tanh': () =>
    programOf(
      [6, 5, 2],
      layers.conv2d({ filters: 2, kernelSize: 3, dilationRate: [1, 2], padding: 'same', activation: 'tanh' }),
    ),
  separableConv2d: () => programOf([7, 7, 2], layers.separableConv2d({ filters: 3, kernelSize: 3, dilationRate: 2 })),
  conv3d: () => programOf([4, 4, 4, 1], layers.conv3d({ filters: 2, kernelSize: 2, dilationRate: 2 as never })),
};

describe('A dilated layer', () => {
  it.each(Object.entries(dilated))('%s is trained', async (_, create) => {
    const program = create();
    const executor = await compile(program);
    const eager = new EagerExecutor(program, { ...settings, backend: 'cpu' });
    const batch = randomBatch(program, BATCH, 2);
    expectClose('loss', [(await executor.evaluate(batch)).loss], [(await eager.evaluate(batch)).loss]);
    await expectDifferences(executor, program);
    await executor.dispose();
  });
});

describe('A batch normalization', () => {
  it('over another axis than the last is trained', async () => {
    const program = programOf([3, 4, 2], layers.dense({ units: 2 }), layers.batchNormalization({ axis: 1 }));
    const executor = await compile(program);
    await expectDifferences(executor, program);
    await executor.dispose();
  });
});

describe('A transposed convolution of volumes', () => {
  it('has the gradients of the eager executor and of differences', async () => {
    const program = programOf(
      [2, 3, 2, 2],
      layers.dense({ units: 2 }),
      layers.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 2 }),
    );
    await compareExecutors(program, [randomBatch(program, BATCH, 1)]);
    const executor = await compile(program);
    await expectDifferences(executor, program);
    await executor.dispose();
  });
});

const noGradient: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  'a choice by a comparison': (x) => tf.where(tf.greater(x, 0.1), tf.square(x), tf.mul(x, -0.5)),
  'a quotient that is 0 by 0': (x) => tf.divNoNan(x, tf.add(tf.square(x), 1)),
  'a logical combination': (x) =>
    tf.mul(x, tf.cast(tf.logicalOr(tf.logicalNot(tf.less(x, 1)), tf.equal(x, 0)), 'float32')),
  'a question of all': (x) => tf.mul(x, tf.cast(tf.any(tf.notEqual(x, 5), 1, true), 'float32')),
};

describe('A loss', () => {
  it.each(Object.entries(noGradient))('with %s of a weight is trained', async (_, compute) => {
    const program = functionProgram(
      { w: tf.tensor2d([0.5, -1, 2, 0.25, -0.75, 1.5], [2, 3]) },
      [{ dtype: 'float32', shape: [3] }],
      ({ w }, [x]) => tf.sum(tf.mul(compute(w), tf.add(x, 2))),
    );
    await compareExecutors(program, [randomBatch(program, BATCH, 1)]);
    const executor = await compile(program);
    await expectDifferences(executor, program);
    await executor.dispose();
  });

  it('of a comparison alone reaches no weight, and says so', async () => {
    const program = functionProgram({ w: tf.tensor1d([0.5, -1]) }, [{ dtype: 'float32', shape: [2] }], ({ w }, [x]) =>
      tf.sum(tf.cast(tf.greater(w, x), 'float32')),
    );
    const message = 'The loss depends on no weight of the model that is trained';
    await expect(compile(program)).rejects.toThrow(message);
    const eager = new EagerExecutor(program, { ...settings, backend: 'cpu' });
    await expect(eager.step(randomBatch(program, BATCH, 1), 0)).rejects.toThrow(message);
  });
});

describe('An einsum', () => {
  // TensorFlow.js 4.22 sums over one axis and leaves the others.
  it('that sums over several axes is that of a product of matrices', async () => {
    const weights = {
      a: tf.randomNormal([2, 3, 4], 0, 1, 'float32', 1),
      b: tf.randomNormal([4, 5], 0, 1, 'float32', 2),
    };
    const cotangents = tf.randomNormal([5, 2], 0, 1, 'float32', 3);
    const inputs = [{ dtype: 'float32', shape: [1] }] as const;
    const program = (compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
      functionProgram(weights, inputs, ({ a, b }) => tf.sum(tf.mul(compute(a, b), cotangents)));
    const [einsum, product] = [
      program((a, b) => tf.einsum('ijk,kl->li', a, b)),
      program((a, b) => tf.transpose(tf.matMul(tf.sum(a, 1), b))),
    ];
    const [actual, expected] = [await compile(einsum), new EagerExecutor(product, { ...settings, backend: 'cpu' })];
    const batch = { size: BATCH, inputs: [new Float32Array(BATCH)], targets: [] };
    expectClose('loss', [(await actual.step(batch, 0)).loss], [(await expected.step(batch, 0)).loss]);
    for (const { name, gradient } of expected.parameters.list)
      expectClose(name, denseGradient(actual.parameters.byName.get(name)!), gradient as Float32Array);
    await actual.dispose();
  });
});
