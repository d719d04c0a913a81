/** @file The inverse Cholesky factor of matrices that are too large for the kernel to be the fastest way. */
import { invertCholesky } from './kernels.ts';
import type { Products } from './products.ts';

/** Up to this size, one call of the kernel takes less time than the products of four quarters. */
const BLOCK = 128;

/**
 * Inverse of the Cholesky factor L of C = L L', by halves: L21 = C21 L11^-T, C22 - L21 L21' goes on to L22, and the lower
 * left quarter of the inverse is -L22^-1 L21 L11^-1.
 *
 * @param matrix as for {@link invertCholesky}
 * @param tolerance as for {@link invertCholesky}
 * @returns L^-1 [size, size], and the smallest squared pivot
 */
export async function inverseCholesky(
  matrix: Float64Array,
  size: number,
  tolerance: number,
  products: Products,
): Promise<{ inverse: Float64Array; smallestPivot: number }> {
  if (size <= BLOCK) return invertCholesky(matrix, size, tolerance);
  const upper = Math.ceil(size / 2);
  const lower = size - upper;
  const first = await inverseCholesky(blockOf(matrix, size, 0, 0, upper, upper), upper, tolerance, products);
  const below = blockOf(matrix, size, upper, 0, lower, upper);
  const last = blockOf(matrix, size, upper, upper, lower, lower);
  const { factor, rest } = await products.eliminate(first.inverse, below, last);
  const second = await inverseCholesky(rest, lower, tolerance, products);
  const corner = await products.inverseCorner(second.inverse, factor, first.inverse);

  const inverse = new Float64Array(size * size);
  for (let row = 0; row < upper; row++) inverse.set(first.inverse.subarray(row * upper, (row + 1) * upper), row * size);
  for (let row = 0; row < lower; row++) {
    const at = (upper + row) * size;
    inverse.set(corner.subarray(row * upper, (row + 1) * upper), at);
    inverse.set(second.inverse.subarray(row * lower, (row + 1) * lower), at + upper);
  }
  return { inverse, smallestPivot: Math.min(first.smallestPivot, second.smallestPivot) };
}

function blockOf(
  matrix: Float64Array,
  size: number,
  firstRow: number,
  firstColumn: number,
  rows: number,
  columns: number,
): Float64Array {
  const block = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const at = (firstRow + row) * size + firstColumn;
    block.set(matrix.subarray(at, at + columns), row * columns);
  }
  return block;
}
