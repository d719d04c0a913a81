/** @file The whole spectrum of a matrix. */
import { checkMatrix } from './checkMatrix.ts';
import { tridiagonalize } from './kernels.ts';
import { defaultThreads, Products } from './products.ts';
import { tridiagonalEigenvalues } from './tridiagonal.ts';

/**
 * All singular values of a float32 matrix: the roots of the eigenvalues of its float64 Gram matrix, by Householder
 * tridiagonalization and implicit QL. Relative error below 1e-6 down to 1e-5 of the largest value; below that, values
 * are right to about 1e-8 of the largest.
 *
 * The reduction runs on the calling thread and blocks its event loop: about 0.5 s for [1500, 6000], growing with the cube
 * of the shorter side.
 *
 * @param matrix [rows, columns], row-major; must not change before the promise is settled
 * @param options.threads of the matrix product; default: by size and machine
 * @returns [min(rows, columns)], descending
 * @throws RangeError for a wrong shape or an element that is not finite
 */
export async function singularValues(
  matrix: Float32Array,
  rows: number,
  columns: number,
  options: { threads?: number } = {},
): Promise<Float64Array> {
  const input = { data: matrix, rows, columns };
  checkMatrix(input);
  const products = new Products(options.threads ?? defaultThreads(rows, columns));
  const gram = await products.gram(input, rows <= columns ? 'rows' : 'columns', 'float64');
  const { diagonal, offDiagonal } = tridiagonalize(gram, Math.min(rows, columns), false);
  return rootsOf(tridiagonalEigenvalues(diagonal, offDiagonal));
}

/** Singular values from eigenvalues of the Gram matrix; rounding makes the smallest of these negative. */
export function rootsOf(eigenvalues: Float64Array): Float64Array {
  return eigenvalues.map((value) => Math.sqrt(Math.max(0, value)));
}
