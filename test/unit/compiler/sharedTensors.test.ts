/** @file Weights in memory that threads share, where Node.js lets ONNX Runtime read it. */
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { pruneSmallest } from '../../../server/compression/kernels.ts';
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import { acceptsSharedTensors } from '../../../server/compiler/sharedTensors.ts';
import { Arena } from '../../../server/memory/arena.ts';
import { isShared } from '../../../server/memory/instantiate.ts';
import { KernelThreads } from '../../../server/optimizers/kernelThreads.ts';
import { createOptimizer, optimizerArenaBytes } from '../../../server/optimizers/optimizer.ts';
import { adam } from '../optimizers/configurations.ts';
import { functionProgram, randomBatch } from './programs.ts';

const BATCH = 4;
const canShare = await acceptsSharedTensors();

/** A function of so many weights that threads share their update, or of few. */
function program(units: number) {
  const random = (shape: [number, number], seed: number) => tf.randomUniform(shape, -0.1, 0.1, 'float32', seed);
  return functionProgram(
    { a: random([64, units], 1), b: random([units, 3], 2) },
    [{ shape: [64], dtype: 'float32' }],
    ({ a, b }, [x]) => tf.mean(tf.square(tf.matMul(tf.relu(tf.matMul(x, a)), b))),
  );
}

async function train(units: number, updates: boolean, threads = 2) {
  const trained = program(units);
  const executor = await CompiledExecutor.create(trained, {
    ...{ batchSize: BATCH, seed: 1, threads, rowGradients: false, updates },
    stateBytes: (length) => optimizerArenaBytes(adam, length),
  });
  const { list, threads: own } = executor.parameters;
  const kernelThreads = new KernelThreads(own);
  const optimizer = createOptimizer(adam, { globalNorm: 1 }, list, kernelThreads);
  await kernelThreads.start();
  for (let step = 0; step < 5; step++) {
    await executor.step(randomBatch(trained, BATCH, step), step);
    optimizer.step(0.01);
    pruneSmallest(list[0].value, list[0].value.length / 2);
  }
  const { loss } = await executor.evaluate(randomBatch(trained, BATCH, 9));
  await kernelThreads.dispose();
  await executor.dispose();
  const isInShared = isShared(Arena.of(list[0].value)!.memory);
  return { threads: own, isInShared, loss, weights: list.map(({ value }) => new Float32Array(value)) };
}

describe.runIf(canShare)('weights that threads share', () => {
  test('are trained, pruned and evaluated to the same bits as others', async () => {
    const [shared, others] = [await train(130_000, true), await train(130_000, false)];
    expect([shared.threads, shared.isInShared, others.threads, others.isInShared]).toEqual([2, true, 1, false]);
    expect(shared.loss).toBe(others.loss);
    expect(
      shared.weights.every((weight, i) => Buffer.from(weight.buffer).equals(Buffer.from(others.weights[i].buffer))),
    ).toBe(true);
  });
});

test('weights are not shared where there are few, or one thread', async () => {
  for (const { threads, isInShared } of [await train(20, true), await train(130_000, true, 1)])
    expect([threads, isInShared]).toEqual([1, false]);
});
