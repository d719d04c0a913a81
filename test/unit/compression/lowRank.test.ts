import { expect, test } from 'vitest';
import { truncateRank, truncateShared } from '../../../server/compression/lowRank.ts';
import { matrixViewOf } from '../../../server/compression/matrixView.ts';
import { normals } from './random.ts';

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

test('the shared projection gives the kernel that is nearest among all with that projection', async () => {
  const [inputs, units, rank] = [12, 9, 4];
  const columns = 4 * units;
  const kernel = { data: normals(inputs * columns, 4), rows: inputs, columns };
  const recurrent = { data: normals(units * columns, 5), rows: units, columns };
  const original = kernel.data.slice();
  const alone = recurrent.data.slice();
  await truncateRank(alone, matrixViewOf([units, columns], 'recurrent_kernel'), rank);

  const pair = await truncateShared(kernel, recurrent, rank);

  expect(largestDifference(recurrent.data, alone)).toBeLessThan(ROUNDING);
  expect(pair.kernel.right).toBe(pair.recurrent.right);
  expect(
    largestDifference(multiply(pair.kernel.left, pair.kernel.right, inputs, rank, columns), kernel.data),
  ).toBeLessThan(ROUNDING);
  // At the minimum of ||Y V' - W||, the residual is orthogonal to the rows of V'.
  const residual = original.map((value, i) => value - kernel.data[i]);
  for (let i = 0; i < inputs; i++)
    for (let r = 0; r < rank; r++) {
      let product = 0;
      for (let j = 0; j < columns; j++) product += residual[i * columns + j] * pair.kernel.right[r * columns + j];
      expect(Math.abs(product)).toBeLessThan(ROUNDING);
    }
});
