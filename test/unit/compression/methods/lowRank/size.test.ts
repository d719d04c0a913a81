import { expect, test } from 'vitest';
import { factoredSizes } from '../../../../../server/compression/methods/lowRank/size.ts';
import { matrixViewOf } from '../../../../../server/compression/targets/matrixView.ts';

test.each([
  [2600, 650, 520],
  [6000, 1500, 1200],
  [1200, 300, 240],
])('factors of a [%i, %i] matrix are smaller than it below rank %i', (rows, columns, breakEven) => {
  const view = matrixViewOf([rows, columns], 'kernel');
  expect(factoredSizes([view], breakEven - 1)[0].weightsKept).toBe((breakEven - 1) * (rows + columns));
  expect(factoredSizes([view], breakEven)[0].weightsKept).toBe(rows * columns);
  expect(factoredSizes([view], breakEven + 1)[0].weightsKept).toBe(rows * columns);
});

test('two weights [m, n] with a shared projection is 2mn / (r (m + 2n)) times smaller', () => {
  const [m, n, r] = [650, 2600, 96];
  const pair = [matrixViewOf([m, n], 'recurrent_kernel'), matrixViewOf([m, n], 'kernel')];
  const [recurrent, kernel] = factoredSizes(pair, r);
  expect((2 * m * n) / (kernel.weightsKept + recurrent.weightsKept)).toBeCloseTo((2 * m * n) / (r * (m + 2 * n)), 10);
  expect(factoredSizes(pair, 600).map(({ weightsKept }) => weightsKept)).toEqual([m * n, m * n]);
});
