/** @file Products of transposed matrices in the ways that the compiler has for them. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { input, matmul, slice } from '../../../server/compiler/build.ts';
import { lowerGraph } from '../../../server/compiler/lower/lowerGraph.ts';
import { compareExecutors } from './compareExecutors.ts';
import { expectClose } from './expectClose.ts';
import { evaluateGraph } from './passes/evaluateGraph.ts';
import { functionProgram, randomBatch } from './programs.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const ROWS = 30;
const COLUMNS = 20;
const a = input('a', { dtype: 'float32', shape: [ROWS, COLUMNS] });
const b = input('b', { dtype: 'float32', shape: [ROWS, 800] });
const many = matmul(a, b, true, false);

test('a matrix is transposed once before its product with many columns, and the numbers are those of a product with few', async () => {
  const few = matmul(a, slice(b, [0, 0], [ROWS, 100]), true, false);
  const operators = (node: typeof many) => lowerGraph({ outputs: new Map([['y', node]]) }).nodes.map(({ op }) => op);
  expect(operators(many)).toContain('Transpose');
  expect(operators(few)).not.toContain('Transpose');
  const values = await evaluateGraph({
    outputs: new Map([
      ['many', many],
      ['few', few],
    ]),
  });
  const manyValues = values.get('many') as Float32Array;
  const firstColumns = Float32Array.from(
    { length: COLUMNS * 100 },
    (_, i) => manyValues[Math.floor(i / 100) * 800 + (i % 100)],
  );
  expectClose('the first columns', firstColumns, values.get('few') as Float32Array);
});

// Ordinal regression: the products were joined with the first threshold alone.
test.each(['constant', 'trained'])('two scores by one weight are compared with %s thresholds', async (kind) => {
  const values = tf.tensor1d([-1, 0, 2]);
  const w = tf.tensor2d([0.5, -1, 2, 0.25], [4, 1]);
  const sample = { dtype: 'float32', shape: [4] } as const;
  const program = functionProgram(
    kind === 'trained' ? { w, thresholds: values } : { w },
    [sample, sample],
    ({ w: weight, thresholds = values }, [x, y]) => {
      const scores = (inputs: tf.Tensor) => tf.add(tf.matMul(inputs, weight), thresholds);
      return tf.add(tf.sum(tf.sigmoid(scores(x))), tf.sum(tf.square(scores(y))));
    },
  );
  await compareExecutors(program, [randomBatch(program, 2, 1)]);
});
