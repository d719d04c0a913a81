/** @file Orthonormal rows by Cholesky-QR. */
import { invertCholesky } from './kernels.ts';
import type { Matrix, Products } from './products.ts';
import { uniform } from './uniform.ts';

/** A pass whose smallest squared pivot is above this leaves rows that are orthonormal to float32 rounding. */
const WELL_CONDITIONED = 0.5;
/** Squared part of a unit row outside the span of the rows before it, below which only rounding errors are left in it. */
const DEPENDENT = 1e-8;
/** One pass is the rule, two follow close eigenvalues or a rank below the number of rows. */
const PASSES = 8;

/**
 * Orthonormal rows such that the first k of them span what the first k rows of the given matrix span (Cholesky-QR,
 * repeated where it is ill-conditioned: Yamamoto et al. 2015). A row that depends on the rows before it gives way to a
 * random direction, so that there are always as many rows as before.
 *
 * @param matrix [rows, columns], rows <= columns
 */
export async function orthonormalizeRows(matrix: Matrix, products: Products): Promise<Matrix> {
  const random = uniform(2);
  let current = matrix;
  for (let pass = 0; pass < PASSES; pass++) {
    const gram = await products.gram(current, 'rows', 'float64');
    const norms = scaleToUnitDiagonal(gram, current.rows);
    const { inverse, smallestPivot } = invertCholesky(gram, current.rows, DEPENDENT);
    const triangle = Float32Array.from(inverse);
    for (let row = 0; row < current.rows; row++) {
      for (let column = 0; column <= row; column++) triangle[row * current.rows + column] /= norms[column];
    }
    current = await products.multiply({ data: triangle, rows: current.rows, columns: current.rows }, current);
    if (smallestPivot > WELL_CONDITIONED) return current;
    for (let row = 0; row < current.rows; row++) {
      if (triangle[row * current.rows + row] !== 0) continue;
      for (let column = 0; column < current.columns; column++) {
        current.data[row * current.columns + column] = random();
      }
    }
  }
  throw new Error('The rows did not become orthonormal.');
}

/** Divides row and column i of G by the root of its diagonal element, in place; a zero row gets the diagonal 0. Returns the roots. */
function scaleToUnitDiagonal(gram: Float64Array, size: number): Float64Array {
  const norms = Float64Array.from({ length: size }, (_, i) => Math.sqrt(gram[i * size + i]) || 1);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) gram[row * size + column] /= norms[row] * norms[column];
  }
  return norms;
}
