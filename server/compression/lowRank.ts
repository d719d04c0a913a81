/** @file Weight distortion by low-rank approximation (DeepTwist, algorithm 3 and equation (5)), in place. */
import { orthonormalizeRows } from '../linalg/orthonormalize.ts';
import { defaultThreads, Products, type Matrix } from '../linalg/products.ts';
import { reconstruct, truncate } from '../linalg/truncate.ts';
import { updateTruncation } from '../linalg/updateTruncation.ts';
import { gatherRows, scatterRows, storedShape, type MatrixView } from './matrixView.ts';

/** A weight of low rank: `left * right`, [rows, rank] and [rank, columns] of {@link storedMatrix}. */
export interface FactoredWeight {
  readonly form: 'factors';
  readonly left: Float32Array;
  /** Shared projection: the same array in both weights of the pair. */
  readonly right: Float32Array;
  /** For the next truncation to start from; of the recurrent weight in both of a pair. */
  readonly basis: Float32Array;
}

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
 * Replaces `recurrent` by its nearest matrix of the rank, `Z_h V_h'`, and `kernel` by its projection on the same `V_h'`:
 * `Z_x = argmin_Y ||Y V_h' - W_x||_F`, which is `W_x V_h` since the rows of `V_h'` are orthonormal.
 *
 * @param kernel W_x, [inputs, columns]
 * @param recurrent W_h, [units, columns]
 * @param basis of the last truncation of `recurrent`, to start from
 */
export async function truncateShared(
  kernel: Matrix,
  recurrent: Matrix,
  rank: number,
  basis?: Float32Array,
): Promise<{ kernel: FactoredWeight; recurrent: FactoredWeight }> {
  const truncation = await factors(recurrent, rank, basis);
  const products = new Products(defaultThreads(kernel.rows, kernel.columns));
  // Of a recurrent weight, which has fewer rows than columns, the left factor is the orthonormal one.
  const projection = await orthonormalizeRows(
    { data: truncation.right, rows: rank, columns: kernel.columns },
    products,
  );
  const project = async (weight: Matrix): Promise<FactoredWeight> => {
    const { data: left } = await products.multiplyRightTransposed(weight, projection);
    await reconstruct({ left, right: projection.data }, weight.rows, weight.columns, weight.data);
    return { form: 'factors', left, right: projection.data, basis: truncation.basis };
  };
  return { kernel: await project(kernel), recurrent: await project(recurrent) };
}

async function factors({ data, rows, columns }: Matrix, rank: number, basis: Float32Array | undefined) {
  const updated = basis && (await updateTruncation(data, rows, columns, basis));
  return updated ?? truncate(data, rows, columns, rank);
}

/** The matrix of {@link storedShape}: a view of the values where they are stored so, else a copy. */
export function storedMatrix(values: Float32Array, view: MatrixView): Matrix {
  const shape = storedShape(view);
  if (view.inner === 1 || view.outer === 1) return { data: values, ...shape };
  const data = new Float32Array(values.length);
  gatherRows(values, view, 0, view.rows, data);
  return { data, ...shape };
}
