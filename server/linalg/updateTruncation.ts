/**
 * @file The best approximation by a lower rank of a matrix that has changed a little since its last one: block power
 * iteration (Rutishauser 1969; Halko, Martinsson & Tropp 2011, algorithm 4.4) that starts from the last factors.
 */
import { checkMatrix, squaredNorm } from './checkMatrix.ts';
import { orthonormalizeRows } from './orthonormalize.ts';
import { defaultThreads, Products, type Matrix } from './products.ts';
import type { Truncation } from './truncate.ts';

/** What the error may exceed the least one by, as a part of ||A||_F. */
const TOLERANCE = 2e-5;
/** More of them cost as much as a truncation from the start. */
const POWER_STEPS = 2;

export type UpdatedTruncation = Pick<Truncation, 'left' | 'right' | 'error'>;

/**
 * Factors of rank `basis.length / columns` whose error is near the least, or undefined where that cannot be told to within
 * 1e-4 ||A||_F after a few steps: then {@link truncate} is called for. Each step takes three products with A and no
 * eigenvalue problem. What is captured of ||A||^2 grows with each step; the growth tells how much is still to come.
 *
 * A direction that the basis does not know at all grows from rounding errors only, and may go unseen for several updates:
 * truncate from the start every so often.
 *
 * @param matrix A [rows, columns], row-major; must not change before the promise is settled
 * @param basis V_r' of the last truncation, [rank, columns], its rows orthonormal
 * @param options.threads of the matrix products; default: by size and machine
 * @throws RangeError for a wrong shape or an element that is not finite
 */
export async function updateTruncation(
  matrix: Float32Array,
  rows: number,
  columns: number,
  basis: Float32Array,
  options: { threads?: number } = {},
): Promise<UpdatedTruncation | undefined> {
  const a: Matrix = { data: matrix, rows, columns };
  const norm = checkMatrix(a);
  const rank = basis.length / columns;
  if (!Number.isInteger(rank) || rank < 1 || rank > Math.min(rows, columns))
    throw new RangeError(`A basis of ${basis.length} elements does not fit a [${rows}, ${columns}] matrix.`);
  // Squares of the elements must neither vanish nor overflow, and there must be something to capture.
  if (norm < 1e-12 || norm > 1e12) return undefined;

  const products = new Products(options.threads ?? defaultThreads(rows, columns));
  let left = await products.multiplyRightTransposed(a, { data: basis, rows: rank, columns });
  let captured = squaredNorm(left.data);
  let gain: number | undefined;
  for (let step = 1; step <= POWER_STEPS; step++) {
    const right = await orthonormalizeRows(await products.multiplyLeftTransposed(left, a), products);
    left = await products.multiplyRightTransposed(a, right);
    const total = squaredNorm(left.data);
    const previousGain = gain;
    gain = Math.max(0, total - captured);
    captured = total;
    const error = Math.sqrt(Math.max(0, norm * norm - captured));
    const toCome = remainingGain(gain, previousGain);
    if (error - Math.sqrt(Math.max(0, error * error - toCome)) <= TOLERANCE * norm)
      return { left: left.data, right: right.data, error };
  }
  return undefined;
}

/** What later steps would still capture: the gains fall at least geometrically, and after one step, as if by halves. */
function remainingGain(gain: number, previous: number | undefined): number {
  if (previous === undefined) return gain;
  const ratio = Math.min(gain / previous, 0.9);
  return (gain * ratio) / (1 - ratio);
}
