/** @file Orthonormal rows by Cholesky-QR. */
import { inverseCholesky } from './inverseCholesky.ts';
import type { Matrix, Products } from './products.ts';
import { uniform } from './uniform.ts';

/** A pass whose smallest squared pivot is above this leaves rows that are orthonormal to float32 rounding. */
const WELL_CONDITIONED = 0.5;
/** Squared part of a unit row outside the span of the rows before it, below which only rounding errors are left in it. */
const DEPENDENT = 1e-8;
/** Largest element of V V' - I for which one correction of first order leaves rounding only. */
const NEARLY_ORTHONORMAL = 1e-4;
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
    if (departure(gram, current.rows) < NEARLY_ORTHONORMAL) return correct(current, gram, products);
    const { rows, smallestPivot, dependent } = await whiten(current, gram, products);
    current = rows;
    if (smallestPivot > WELL_CONDITIONED) return current;
    for (const row of dependent) {
      for (let column = 0; column < current.columns; column++) {
        current.data[row * current.columns + column] = random();
      }
    }
  }
  throw new Error('The rows did not become orthonormal.');
}

/** Largest element of the lower triangle of |G - I|. */
function departure(gram: Float64Array, size: number): number {
  let largest = 0;
  for (let row = 0; row < size; row++) {
    const at = row * size;
    for (let column = 0; column < row; column++) largest = Math.max(largest, Math.abs(gram[at + column]));
    largest = Math.max(largest, Math.abs(gram[at + row] - 1));
  }
  return largest;
}

/** L^-1 times the rows for L L' = G near I, to first order: L = I + the lower triangle of G - I, half its diagonal. */
function correct(matrix: Matrix, gram: Float64Array, products: Products): Promise<Matrix> {
  const size = matrix.rows;
  const triangle = new Float32Array(size * size);
  for (let row = 0; row < size; row++) {
    const at = row * size;
    for (let column = 0; column < row; column++) triangle[at + column] = -gram[at + column];
    triangle[at + row] = (3 - gram[at + row]) / 2;
  }
  return products.multiply({ data: triangle, rows: size, columns: size }, matrix);
}

/**
 * L^-1 times the rows, where L L' is the given matrix: orthonormal rows where that is their Gram matrix.
 *
 * @param gram [rows, rows], symmetric, its lower triangle is read; its data are overwritten
 * @returns also the smallest squared pivot, for a unit diagonal of the matrix, and the rows that depend on those before
 *   them, which are zeros
 */
export async function whiten(
  matrix: Matrix,
  gram: Float64Array,
  products: Products,
): Promise<{ rows: Matrix; smallestPivot: number; dependent: number[] }> {
  const size = matrix.rows;
  const norms = scaleToUnitDiagonal(gram, size);
  const { inverse, smallestPivot } = await inverseCholesky(gram, size, DEPENDENT, products);
  const triangle = new Float32Array(size * size);
  const dependent: number[] = [];
  for (let row = 0; row < size; row++) {
    for (let at = row * size, column = 0; column <= row; at++, column++) triangle[at] = inverse[at] / norms[column];
    if (inverse[row * size + row] === 0) dependent.push(row);
  }
  const rows = await products.multiply({ data: triangle, rows: size, columns: size }, matrix);
  return { rows, smallestPivot, dependent };
}

/** Divides row and column i of G by the root of its diagonal element, in place; a zero row gets the diagonal 0. Returns the roots. */
export function scaleToUnitDiagonal(gram: Float64Array, size: number): Float64Array {
  const norms = Float64Array.from({ length: size }, (_, i) => Math.sqrt(Math.max(0, gram[i * size + i])) || 1);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) gram[row * size + column] /= norms[row] * norms[column];
  }
  return norms;
}
