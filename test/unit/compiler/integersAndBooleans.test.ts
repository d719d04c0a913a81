import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { constant } from '../../../server/compiler/build.ts';
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import { createExecutor } from '../../../server/compiler/createExecutor.ts';
import { loadWasmBackend } from '../../../server/compiler/eagerBackend.ts';
import { Emitter } from '../../../server/compiler/lower/emitter.ts';
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

const large = [{ dtype: 'int32', shape: [8] }] as const;
const INT32 = { least: -(2 ** 31), most: 2 ** 31 - 1 };
const same = (value: number) => tf.fill([8], value, 'int32');
const dividends = Int32Array.of(1795996799, -1795996799, 16777217, -7, 0, 7, INT32.least, INT32.most);
const divisors = Int32Array.of(86400, 86400, -10, 7, 0, 0, -1, -13);

/** What int32 has and float32 has not: each element is compared, its halves apart. */
const ofLargeIntegers: Record<string, (x: tf.Tensor, y: tf.Tensor) => tf.Tensor> = {
  'a rest': (x, y) => tf.mod(x, y),
  'a rest of division by a constant': (x) => tf.mod(x, tf.scalar(86400, 'int32')),
  'a rest of division by 0': (x) => tf.mod(x, tf.scalar(0, 'int32')),
  'a quotient': (x, y) => tf.floorDiv(x, y),
  'a quotient by a constant': (x) => tf.floorDiv(x, tf.scalar(10, 'int32')),
  'a quotient by -1': (x) => tf.floorDiv(x, tf.scalar(-1, 'int32')),
  'a quotient of tf.div': (x, y) => tf.div(x, y),
  'what is bounded below': (x) => tf.clipByValue(x, 0, Infinity),
  'what is bounded above': (x) => tf.clipByValue(x, -Infinity, 5),
  'what has a bound that no int32 reaches': (x) => tf.clipByValue(x, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  'what has bounds between integers': (x) => tf.clipByValue(x, -2.5, 3.5),
  // Constants that wrap around.
  'a sum beyond 32 bits': () => tf.add(same(INT32.most), same(1)),
  'a difference beyond 32 bits': () => tf.sub(same(INT32.least), same(1)),
  'a product beyond 32 bits': () => tf.mul(same(100000), same(100000)),
  'a negative beyond 32 bits': () => tf.neg(same(INT32.least)),
};

describe('large integers', () => {
  it.each(Object.entries(ofLargeIntegers))('%s is exact', async (_, compute) => {
    const made = functionProgram(
      { low: tf.ones([8]), high: tf.ones([8]) },
      [...large, ...large],
      ({ low, high }, [x, y]) => {
        const result = tf.reshape(compute(x, y), [8]);
        const half = tf.scalar(65536, 'int32');
        const upper = tf.floorDiv(result, half);
        const lower = tf.sub(result, tf.mul(upper, half));
        return tf.add(tf.sum(tf.mul(low, tf.cast(lower, 'float32'))), tf.sum(tf.mul(high, tf.cast(upper, 'float32'))));
      },
    );
    // A tolerance below 1 for numbers up to 65536.
    await compareExecutors(made, [{ size: 1, inputs: [dividends, divisors], targets: [] }], { tolerance: 1e-6 });
  });

  it('their rests are the rows of a table', async () => {
    const made = functionProgram(weights(), integers, ({ w }, [x]) => {
      const table = tf.reshape(w, [4, 1]);
      return tf.sum(
        tf.square(
          tf.gather(table, tf.reshape(tf.mod(tf.add(x, tf.scalar(1795996800, 'int32')), tf.scalar(4, 'int32')), [8])),
        ),
      );
    });
    await compareExecutors(made, [integerBatch]);
  });
});

it('what is not finite is the integer 0', async () => {
  const made = functionProgram(weights(), inputs, ({ w }, [x]) =>
    tf.add(tf.sum(w), tf.sum(tf.cast(tf.cast(tf.div(1, tf.mul(x, tf.relu(x))), 'int32'), 'float32'))),
  );
  await compareExecutors(made, [batch]);
  const divided = functionProgram(weights(), inputs, ({ w }, [x]) =>
    tf.add(tf.sum(w), tf.sum(tf.cast(tf.floorDiv(x, tf.relu(x)), 'float32'))),
  );
  await compareExecutors(divided, [batch]);
});

it('a constant that is no integer of 32 bits is refused', () => {
  expect(() => constant([Infinity], [], 'int32')).toThrow('Infinity is no integer of 32 bits.');
  expect(() => constant([1, 2 ** 31], [2], 'int32')).toThrow('2147483648 is no integer of 32 bits.');
  expect(() => new Emitter().scalar(NaN, 'int32')).toThrow('NaN is no integer of 32 bits.');
});

/** By the sign of the divisor, and smaller than it also where the sum is rounded. */
function restOf(x: number, divisor: number): number {
  const rest = x % divisor;
  return rest * divisor < 0 ? Math.fround(rest + divisor) % divisor : rest;
}

const precise: Record<string, [(x: tf.Tensor) => tf.Tensor, (x: number) => number]> = {
  log1p: [tf.log1p, Math.log1p],
  expm1: [tf.expm1, Math.expm1],
  'mod 7': [(x) => tf.mod(x, 7), (x) => restOf(x, 7)],
  'mod -0.3': [(x) => tf.mod(x, -0.3), (x) => restOf(x, Math.fround(-0.3))],
  'mod Infinity': [(x) => tf.mod(tf.abs(x), Infinity), Math.abs],
};
const floats = [
  ...[1e-8, -1e-8, 1e-6, -1e-6, 0.001, -0.001, 0.3, -0.3, 0.9, -0.9, -0.99, -1, 1, 1.5, 7, 30, 80, 0],
  ...[1e8, -1e9, 1e30, -1000, -90, 1000, 88.5],
];

it.each(Object.entries(precise))('%s has the last bits of float32 everywhere', async (_, [compute, definition]) => {
  const sample = { dtype: 'float32', shape: [floats.length] } as const;
  const made = functionProgram({ w: tf.ones([floats.length]) }, [sample], ({ w }, [x]) => {
    const y = tf.reshape(compute(x), [-1]);
    // An infinite loss is none, and its weight's gradient is the result.
    return tf.sum(tf.mul(w, y));
  });
  const executor = await CompiledExecutor.create(made, { ...options, batchSize: 1 });
  await executor.step({ size: 1, inputs: [Float32Array.from(floats)], targets: [] }, 0);
  const results = executor.parameters.byName.get('w')!.gradient as Float32Array;
  const expected = floats.map((x) => Math.fround(definition(Math.fround(x))));
  results.forEach((result, i) => {
    if (!Object.is(result, expected[i]) && !(Math.abs(result - expected[i]) <= 4e-7 * Math.abs(expected[i])))
      expect.fail(`of ${floats[i]} it is ${result}, expected ${expected[i]}`);
  });
  await executor.dispose();
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
