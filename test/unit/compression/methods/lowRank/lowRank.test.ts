import { expect, test } from 'vitest';
import { truncateRank, truncateShared } from '../../../../../server/compression/methods/lowRank/lowRank.ts';
import { matrixViewOf } from '../../../../../server/compression/targets/matrixView.ts';
import { normals } from '../../random.ts';

/** Plain triple loop, [rows, inner] by [inner, columns]. */
function multiply(left: Float32Array, right: Float32Array, rows: number, inner: number, columns: number): Float64Array {
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++)
      for (let j = 0; j < columns; j++) result[i * columns + j] += left[i * inner + k] * right[k * columns + j];
  return result;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

const squaredNorm = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);

// float32 products of a few dozen terms of size 1 to 10.
const ROUNDING = 1e-4;

test('a matrix of the rank is left as it is, and the factors multiply to it', async () => {
  const [rows, columns, rank] = [20, 30, 3];
  const exact = Float32Array.from(multiply(normals(rows * rank, 1), normals(rank * columns, 2), rows, rank, columns));
  const values = exact.slice();
  const { left, right } = await truncateRank(values, matrixViewOf([rows, columns], 'kernel'), rank);
  expect(largestDifference(values, exact)).toBeLessThan(ROUNDING);
  expect(largestDifference(multiply(left, right, rows, rank, columns), exact)).toBeLessThan(ROUNDING);
});

test('truncating twice changes nothing more, for every kernel shape', async () => {
  for (const [shape, weight, layerClass] of [
    [[18, 30], 'embeddings', undefined],
    [[3, 3, 4, 10], 'kernel', 'Conv2D'],
    [[3, 3, 10, 4], 'kernel', 'Conv2DTranspose'],
    [[4, 4, 5, 2], 'depthwise_kernel', undefined],
  ] as const) {
    const view = matrixViewOf(shape, weight, layerClass);
    const values = normals(view.rows * view.columns, 3);
    const original = values.slice();
    await truncateRank(values, view, 4);
    const once = values.slice();
    await truncateRank(values, view, 4);
    expect(largestDifference(values, once)).toBeLessThan(ROUNDING);
    expect(squaredNorm(once)).toBeLessThan(squaredNorm(original));
  }
});

test('the shared projection gives the kernels that are nearest among all with that projection', async () => {
  const [units, rank] = [9, 4];
  const matrix = (columns: number, seed: number) => ({ data: normals(units * columns, seed), rows: units, columns });
  const recurrent = matrix(4 * units, 5);
  const kernels = [matrix(20, 4), matrix(6, 6)];
  const originals = kernels.map(({ data }) => data.slice());
  const alone = recurrent.data.slice();
  await truncateRank(alone, matrixViewOf([units, 4 * units], 'recurrent_kernel'), rank);

  const [ofRecurrent, ...ofKernels] = await truncateShared(recurrent, kernels, rank);

  expect(largestDifference(recurrent.data, alone)).toBeLessThan(ROUNDING);
  for (const [i, { data, columns }] of kernels.entries()) {
    const { left, right } = ofKernels[i];
    expect(left).toBe(ofRecurrent.left);
    expect(largestDifference(multiply(left, right, units, rank, columns), data)).toBeLessThan(ROUNDING);
    // At the minimum of ||V Y - W||, the residual is orthogonal to the columns of V.
    const residual = originals[i].map((value, j) => value - data[j]);
    for (let r = 0; r < rank; r++)
      for (let j = 0; j < columns; j++) {
        let product = 0;
        for (let k = 0; k < units; k++) product += left[k * rank + r] * residual[k * columns + j];
        expect(Math.abs(product)).toBeLessThan(ROUNDING);
      }
  }
});
