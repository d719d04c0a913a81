import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createExecutor } from '../../../server/compiler/createExecutor.ts';
import { loadWasmBackend } from '../../../server/compiler/eagerBackend.ts';
import { compareExecutors } from './compareExecutors.ts';
import { functionProgram } from './programs.ts';

const inputs = [{ dtype: 'float32', shape: [4] }] as const;
const batch = { size: 2, inputs: [Float32Array.of(-2, -1, 0, 1, 2, 3, 0.5, -0.5)], targets: [] };
const weights = () => ({ w: tf.tensor1d([0.5, -1, 2, 3]) });

/** A step whose loss adds what is computed of truth values to something that is trained. */
const program = (compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  functionProgram(weights(), inputs, ({ w }, [x]) =>
    tf.add(tf.sum(tf.mul(w, x)), tf.sum(tf.cast(compute(tf.greater(x, 0), tf.less(x, 1)), 'float32'))),
  );

const options = { batchSize: 2, evaluationBatchSize: 2, seed: 1, threads: 1, rowGradients: false, extraBytes: () => 0 };
const create = (compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  createExecutor(program(compute), 'auto', import.meta.dirname, options);

beforeAll(async () => {
  await loadWasmBackend();
  await tf.setBackend('cpu');
});

const compiled: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
  'a product': (a, b) => tf.mul(a, b),
  'a maximum': (a, b) => tf.maximum(a, b),
  'a minimum': (a, b) => tf.minimum(a, b),
  'a choice': (a, b) => tf.where(a, b, tf.logicalNot(b)),
};

const refused: Record<string, [string, string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor]> = {
  'a sum': ['Add', 'bool', (a, b) => tf.add(a, b)],
  'a sign': ['Sign', 'bool', (a) => tf.sign(a)],
  'a rounded integer': ['Round', 'int32', (a) => tf.round(tf.cast(a, 'int32'))],
  'the largest': ['Max', 'bool', (a) => tf.max(a, 1)],
};

describe('truth values', () => {
  it.each(Object.entries(compiled))('%s is compiled', async (_, compute) => {
    await compareExecutors(program(compute), [batch]);
  });

  it.each(Object.entries(refused))('%s is computed eagerly, with a warning', async (_, [operation, type, compute]) => {
    const { executor, warning } = await create(compute);
    expect(warning).toMatch(
      new RegExp(
        `^The operation ${operation} cannot be compiled: ONNX Runtime does not have it for (the type ${type}|these types)`,
      ),
    );
    expect(Number.isFinite((await executor.step(batch, 0)).loss)).toBe(true);
  });

  it('a quotient on the WebAssembly backend ends, with an error', async () => {
    await tf.setBackend('wasm');
    const a = tf.greater(tf.range(-4, 4), 0);
    expect(() => tf.divNoNan(a, a)).toThrow('does not take booleans');
    expect(() => tf.where(a, a, a)).toThrow('does not take booleans');
    expect(() => tf.cast(tf.range(-4, 4), 'bool')).toThrow('does not take booleans');
    await tf.setBackend('cpu');
  });

  const understood: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
    ...{
      logicalAnd: tf.logicalAnd,
      logicalOr: tf.logicalOr,
      logicalNot: tf.logicalNot,
      where: (a) => tf.where(a, 1, -1),
    },
    ...{ equal: tf.equal, notEqual: tf.notEqual, all: (a) => tf.all(a, 1), any: (a) => tf.any(a, 0), clone: tf.clone },
    ...{
      cast: (a) => tf.cast(a, 'float32'),
      reshape: (a) => tf.reshape(a, [5, 7]),
      expandDims: (a) => tf.expandDims(a, 1),
    },
    ...{ zerosLike: tf.zerosLike, onesLike: tf.onesLike, transpose: (a) => tf.transpose(a) },
    slice: (a) => tf.slice(a, [1, 2], [5, 2]),
  };

  it.each(Object.entries(understood))('%s on the WebAssembly backend is that of the plain one', async (_, compute) => {
    const result = async (backend: string) => {
      await tf.setBackend(backend);
      const x = tf.tensor2d(
        Array.from({ length: 35 }, (_value, i) => Math.sin(i * i)),
        [7, 5],
      );
      return Array.from(compute(tf.greater(x, 0), tf.less(x, 0.5)).dataSync(), Number);
    };
    expect(await result('wasm')).toEqual(await result('cpu'));
  });
});
