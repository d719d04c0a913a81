/** @file Products of transposed matrices in the ways that the compiler has for them. */
import { expect, test } from 'vitest';
import { input, matmul, slice } from '../../../server/compiler/build.ts';
import { lowerGraph } from '../../../server/compiler/lower/lowerGraph.ts';
import { expectClose } from './expectClose.ts';
import { evaluateGraph } from './passes/evaluateGraph.ts';

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
