/** @file Weight distortion by low-rank approximation (DeepTwist, algorithm 3 and equation (5)), in place. */
import { defaultThreads, Products, type Matrix } from '../../../linalg/products.ts';
import { reconstruct, truncate } from '../../../linalg/truncate.ts';
import { updateTruncation } from '../../../linalg/updateTruncation.ts';
import { scatterRows, storedMatrix, type MatrixView } from '../../targets/matrixView.ts';
import type { FactoredWeight } from '../unit.ts';

/**
 * Replaces `values` by the nearest matrix of the rank, `U_r S_r V_r'`, and returns two factors of it.
 *
 * @param basis of the last truncation, to start from
 */
export async function truncateRank(
  values: Float32Array,
  view: MatrixView,
  rank: number,
  basis?: Float32Array,
): Promise<FactoredWeight> {
  const matrix = storedMatrix(values, view);
  const truncation = await factors(matrix, rank, basis);
  await reconstruct(truncation, matrix.rows, matrix.columns, matrix.data);
  if (matrix.data !== values) scatterRows(matrix.data, view, 0, view.rows, values);
  return { form: 'factors', left: truncation.left, right: truncation.right, basis: truncation.basis };
}

/**
 * Replaces `recurrent`, W_h, by its nearest matrix of the rank, `V_h Z_h`, and each of `kernels`, W_x, by its projection on the
 * same `V_h`: `Z_x = argmin_Y ||V_h Y - W_x||_F`, which is `V_h' W_x` since the columns of `V_h` are orthonormal. (Equation (5)
 * with all matrices transposed: here a row vector h is multiplied from the left, and `h V_h` is the projection.)
 *
 * @param recurrent W_h, [units, columns], with at most as many units as columns
 * @param kernels of what the layer's output is multiplied with, [units, …]
 * @param basis of the last truncation of `recurrent`, to start from
 * @returns the form of `recurrent`, then those of `kernels`
 */
export async function truncateShared(
  recurrent: Matrix,
  kernels: readonly Matrix[],
  rank: number,
  basis?: Float32Array,
): Promise<FactoredWeight[]> {
  // The left factor of a matrix with no more rows than columns is the orthonormal one.
  const { left, ...truncation } = await factors(recurrent, rank, basis);
  const projection = { data: left, rows: recurrent.rows, columns: left.length / recurrent.rows };
  const replace = async (weight: Matrix, right: Float32Array): Promise<FactoredWeight> => {
    await reconstruct({ left, right }, weight.rows, weight.columns, weight.data);
    return { form: 'factors', left, right, basis: truncation.basis };
  };
  const forms = [await replace(recurrent, truncation.right)];
  for (const kernel of kernels) {
    const products = new Products(defaultThreads(kernel.rows, kernel.columns));
    forms.push(await replace(kernel, (await products.multiplyLeftTransposed(projection, kernel)).data));
  }
  return forms;
}

/**
 * Ranks above this part of the shorter side are truncated from the start each time: an update, with its search for directions that
 * the basis misses, costs more there.
 */
const MOST_UPDATED = 0.5;

async function factors({ data, rows, columns }: Matrix, rank: number, basis: Float32Array | undefined) {
  const paysOff = rank <= MOST_UPDATED * Math.min(rows, columns);
  const updated = paysOff && basis ? await updateTruncation(data, rows, columns, basis) : undefined;
  return updated ?? truncate(data, rows, columns, rank);
}
