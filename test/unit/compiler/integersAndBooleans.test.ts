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

const options = { batchSize: 2, evaluationBatchSize: 2, seed: 1, threads: 1, rowGradients: false, stateBytes: () => 0 };
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
  'an exclusive or': (a, b) => tf.logicalXor(a, b),
  'a squared difference': (a, b) => tf.squaredDifference(a, b),
  'a power': (a, b) => tf.pow(a, b),
  'what is greater': (a, b) => tf.greater(a, b),
  'what is greater or equal': (a, b) => tf.greaterEqual(a, b),
  'what is less': (a, b) => tf.less(a, b),
  'what is less or equal': (a, b) => tf.lessEqual(a, b),
  'a magnitude': (a) => tf.abs(a),
  'a sign': (a) => tf.sign(a),
  'a rectifier': (a) => tf.relu6(tf.relu(a)),
  'what is rounded': (a) => tf.round(a),
  'a square': (a) => tf.square(a),
  'an exponential': (a) => tf.exp(a),
  'the largest': (a) => tf.max(a, 1),
  'the smallest': (a) => tf.min(a, 1),
  'the place of the largest': (a) => tf.argMax(a, 1),
  'the place of the smallest': (a) => tf.argMin(a, 1),
  'the largest two': (a) => tf.topk(a, 2).values,
  'a cumulative sum': (a) => tf.cumsum(a, 1),
  'a sum of segments': (a) => tf.unsortedSegmentSum(a, tf.tensor1d([1, 0], 'int32'), 3),
  'a matrix with them on its diagonal': (a) => tf.diag(tf.max(a, 0)),
  'a maximum pooling': (a) => tf.maxPool(tf.reshape<tf.Rank.R4>(a, [1, 2, 4, 1]), 2, 1, 'same'),
};

const refused: Record<string, [string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor]> = {
  'a sum': ['Add', (a, b) => tf.add(a, b)],
  'a sum of several': ['AddN', (a, b) => tf.addN([a, b])],
  'a difference': ['Sub', (a, b) => tf.sub(a, b)],
  'a negative': ['Neg', (a) => tf.neg(a)],
  'a product of matrices': ['BatchMatMul', (a, b) => tf.matMul(a, b, false, true)],
};

const operations = tf as unknown as Record<string, (x: tf.Tensor) => tf.Tensor>;

/** Functions of integers, whose results are integers of the same type in TensorFlow.js, or float32 where it says so. */
const ofIntegers: Record<string, (x: tf.Tensor, y: tf.Tensor) => tf.Tensor> = {
  ...Object.fromEntries(
    [
      ...(['abs', 'acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'erf', 'exp', 'expm1', 'log1p'] as const),
      ...(['logSigmoid', 'neg', 'reciprocal', 'relu', 'relu6', 'round', 'selu', 'sign', 'sinh', 'softplus'] as const),
      ...(['square', 'step', 'isNaN', 'isInf', 'isFinite', 'cumsum', 'cumprod', 'logSumExp', 'logSoftmax'] as const),
      ...(['sum', 'mean', 'max', 'min', 'prod', 'argMax', 'argMin'] as const),
    ].map((name) => [name, (x: tf.Tensor) => operations[name](x)] as const),
  ),
  atan2: tf.atan2,
  floorDiv: (x, y) => tf.floorDiv(x, y),
  mod: (x, y) => tf.mod(x, y),
  matMul: (x, y) => tf.matMul(x, y, false, true),
  'matMul, the other way round': (x, y) => tf.matMul(x, y, true),
  leakyRelu: (x) => tf.leakyRelu(x, 0.3),
  prelu: (x) => tf.prelu(x, 0.3),
  topk: (x) => tf.topk(x, 2).values,
  confusionMatrix: (x, y) =>
    tf.math.confusionMatrix(tf.reshape<tf.Rank.R1>(tf.abs(x), [8]), tf.reshape<tf.Rank.R1>(tf.abs(y), [8]), 4),
  maxPool: (x) => tf.maxPool(tf.reshape<tf.Rank.R4>(x, [1, 2, 4, 1]), 2, 1, 'same'),
  resizeBilinear: (x) => tf.image.resizeBilinear(tf.reshape<tf.Rank.R4>(x, [1, 2, 4, 1]), [3, 5]),
  resizeNearestNeighbor: (x) => tf.image.resizeNearestNeighbor(tf.reshape<tf.Rank.R4>(x, [1, 2, 4, 1]), [3, 5]),
};

const integers = [{ dtype: 'int32', shape: [4] }] as const;
const integerBatch = { size: 2, inputs: [Int32Array.of(-3, -1, 0, 1, 2, 3, 2, 1)], targets: [] };

describe('integers', () => {
  it.each(Object.entries(ofIntegers))('%s is compiled', async (_, compute) => {
    const made = functionProgram(weights(), integers, ({ w }, [x]) =>
      tf.add(tf.sum(w), tf.sum(tf.cast(compute(x, tf.add(tf.abs(x), tf.scalar(1, 'int32'))), 'float32'))),
    );
    await compareExecutors(made, [integerBatch]);
  });
});

describe('truth values', () => {
  it.each(Object.entries(compiled))('%s is compiled', async (_, compute) => {
    await compareExecutors(program(compute), [batch]);
  });

  it.each(Object.entries(refused))('%s is computed eagerly, with a warning', async (_, [operation, compute]) => {
    const { executor, warning } = await create(compute);
    expect(warning).toMatch(new RegExp(`^The operation ${operation} cannot be compiled: TensorFlow.js .*cast them`));
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
