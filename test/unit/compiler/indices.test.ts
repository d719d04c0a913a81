import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import { loadWasmBackend } from '../../../server/compiler/eagerBackend.ts';
import { EagerExecutor } from '../../../server/compiler/eagerExecutor.ts';
import type { Executor, Program, StepBatch } from '../../../server/compiler/program.ts';
import { UserError } from '../../../server/protocol/userError.ts';
import { compareExecutors } from './compareExecutors.ts';
import { functionProgram, modelProgram } from './programs.ts';

const { layers } = tf;
const settings = { seed: 1, stateBytes: () => 0 };
const compile = (program: Program, rowGradients: boolean) =>
  CompiledExecutor.create(program, { ...settings, batchSize: 2, threads: 1, rowGradients });

const executors: Record<string, (program: Program) => Executor | Promise<Executor>> = {
  compiled: (program) => compile(program, false),
  'compiled, with gradients as rows': (program) => compile(program, true),
  'eager, on cpu': (program) => new EagerExecutor(program, { ...settings, backend: 'cpu' }),
  'eager, on wasm': (program) => new EagerExecutor(program, { ...settings, backend: 'wasm' }),
};

function embedded(): Program {
  const model = tf.sequential({
    layers: [
      layers.embedding({ name: 'words', inputDim: 6, outputDim: 3, inputLength: 3 }),
      layers.flatten(),
      layers.dense({ units: 1 }),
    ],
  });
  const squaredError = (targets: tf.Tensor, outputs: tf.Tensor) => tf.mean(tf.squaredDifference(targets, outputs));
  return modelProgram(model, squaredError, { dtype: 'float32', shape: [1] }, 'int32');
}

const batchOf = (...indices: number[]): StepBatch => ({
  size: 2,
  inputs: [Int32Array.from(indices)],
  targets: [new Float32Array(2)],
});

beforeAll(async () => {
  await loadWasmBackend();
  await tf.setBackend('cpu');
});

describe.each(Object.entries(executors))('A model that is %s', (_, create) => {
  it.each([-1, 6, 1000])('names the layer, the sample and the rows for the index %d', async (index) => {
    const executor = await create(embedded());
    const batch = batchOf(0, 1, 2, 3, index, 5);
    const message = `The layer 'words' looks up the index ${index} (sample 2 of the batch); its table has 6 rows, 0 to 5.`;
    await expect(executor.step(batch, 0)).rejects.toThrow(message);
    await expect(executor.evaluate(batch)).rejects.toThrow(message);
    await expect(executor.evaluate(batch)).rejects.toBeInstanceOf(UserError);
    // What came before and what comes after is computed.
    expect((await executor.evaluate(batchOf(0, 1, 2, 3, 4, 5))).loss).toBeGreaterThan(0);
    await executor.dispose();
  });
});

describe('Indices', () => {
  const table = {
    table: tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]),
    values: tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]),
  };
  const indices = [{ dtype: 'int32', shape: [2] }] as const;
  const batch = { size: 2, inputs: [Int32Array.of(-1, 2, 0, 5)], targets: [] };

  it('that a model computes are checked, too', async () => {
    const program = functionProgram(table, indices, (weights, [x]) =>
      tf.sum(tf.gather(weights.table, tf.add(tf.reshape(x, [4]), tf.scalar(1, 'int32')))),
    );
    const executor = await compile(program, false);
    await expect(executor.step(batch, 0)).rejects.toThrow(
      'The model looks up the index 3; its table has 3 rows, 0 to 2.',
    );
    await executor.dispose();
  });

  /** Indices that a step computes from constants alone, and what it does with them. */
  const ofConstants: Record<string, (weights: Record<string, tf.Tensor>, places: tf.Tensor1D) => tf.Tensor> = {
    'rows of a weight': ({ table: rows }, places) => tf.gather(rows, places),
    'rows of a constant': ({ table: rows }, places) =>
      tf.mul(rows, tf.gather(tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), places)),
    'elements of a weight': ({ table: rows }, places) => tf.gatherND(rows, tf.expandDims(places, 1)),
    'sums of rows': ({ table: rows }, places) => tf.square(tf.scatterND(tf.expandDims(places, 1), rows, [3, 2])),
  };

  describe.each([false, true])('with row gradients: %s', (rowGradients) => {
    it.each(Object.entries(ofConstants))('that a step computes from constants are checked: %s', async (_, compute) => {
      const looksUp = (moved: number) =>
        functionProgram(table, indices, (weights) =>
          tf.sum(compute(weights, tf.sub(tf.range(0, 3, 1, 'int32'), tf.scalar(moved, 'int32')))),
        );
      const message = (index: number) => `The model looks up the index ${index}; its table has 3 rows, 0 to 2.`;
      await expect(compile(looksUp(1), rowGradients)).rejects.toThrow(message(-1));
      await expect(compile(looksUp(-2), rowGradients)).rejects.toThrow(message(3));
      await expect(compile(looksUp(1), rowGradients)).rejects.toBeInstanceOf(UserError);
      await (await compile(looksUp(0), rowGradients)).dispose();
    });
  });

  it('beyond the segments of a sum leave their values out, as in TensorFlow.js', async () => {
    const program = functionProgram(table, indices, (weights, [x]) =>
      tf.sum(tf.square(tf.unsortedSegmentSum(weights.values, tf.reshape(x, [4]) as tf.Tensor1D, 3))),
    );
    // The gradient in TensorFlow.js takes those below 0 alone.
    await compareExecutors(program, [{ ...batch, inputs: [Int32Array.of(-1, 2, 0, -3)] }]);
    const compiled = await compile(program, false);
    const eager = new EagerExecutor(program, { ...settings, backend: 'cpu' });
    expect(await compiled.evaluate(batch)).toEqual(await eager.evaluate(batch));
    await compiled.dispose();
  });

  it('beyond a one-hot code have none, as in TensorFlow.js', async () => {
    const program = functionProgram(table, indices, (weights, [x]) =>
      tf.sum(tf.square(tf.mul(tf.oneHot(tf.reshape(x, [4]), 2), weights.values))),
    );
    await compareExecutors(program, [batch]);
  });
});
