/** @file The proximal map of the nuclear norm: every singular value less a threshold, none below 0. */
import { checkMatrix } from './checkMatrix.ts';
import { eigenvectorsOf, gramSpectrum } from './gramSpectrum.ts';
import { orthonormalizeRows } from './orthonormalize.ts';
import { defaultThreads, Products, type Matrix } from './products.ts';
import { coordinates, isTall, projection, type Factors } from './shorterSide.ts';
import { rootsOf } from './singularValues.ts';

/** Part of the largest singular value below which float32 factors tell nothing of another: so little is no part of a rank. */
const NEGLIGIBLE = 1e-6;

/** What is left of a matrix: `left * right`. Column k of the one and row k of the other belong to the k-th singular value. */
export interface SoftThresholded extends Factors {
  /** All singular values of the matrix before, descending, [min(rows, columns)]. */
  readonly before: Float64Array;
  /** The singular values of what is left, descending, all above {@link NEGLIGIBLE} times the largest of those before, [rank]. */
  readonly after: Float64Array;
}

/**
 * `argmin_X 1/2 ||X - A||_F^2 + t ||X||_* = U diag(max(s_j - t, 0)) V'` of `A = U diag(s) V'` (Cai, Candes & Shen 2010, theorem 2.1),
 * through the eigenvectors of the float64 Gram matrix that belong to singular values above the threshold. Errors are those of float32
 * factors: about 1e-6 ||A||_F.
 *
 * The tridiagonalization runs on the calling thread, as in {@link truncate}. The same input gives the same factors.
 *
 * @param matrix A [rows, columns], row-major; must not change before the promise is settled
 * @param threshold t, at least 0
 * @param options.threads of the matrix products; default: by size and machine
 * @throws RangeError for a wrong shape or threshold, or an element that is not finite
 */
export async function softThreshold(
  matrix: Float32Array,
  rows: number,
  columns: number,
  threshold: number,
  options: { threads?: number } = {},
): Promise<SoftThresholded> {
  if (!(threshold >= 0)) throw new RangeError(`A threshold is a number from 0, not ${threshold}.`);
  const a: Matrix = { data: matrix, rows, columns };
  checkMatrix(a);
  const products = new Products(options.threads ?? defaultThreads(rows, columns));
  const spectrum = await gramSpectrum(a, 'float64', products);
  const before = rootsOf(spectrum.eigenvalues);
  const rank = before.filter((value) => value - threshold > NEGLIGIBLE * before[0]).length;
  const after = before.subarray(0, rank).map((value) => value - threshold);
  if (rank === 0) return { left: new Float32Array(0), right: new Float32Array(0), before, after };

  const eigenvectors = await eigenvectorsOf(spectrum, spectrum.eigenvalues.subarray(0, rank), products);
  const basis = await orthonormalizeRows(eigenvectors, products);
  const part = await coordinates(a, basis, products);
  scaleEach(part, isTall(a) ? 'columns' : 'rows', (k) => after[k] / before[k]);
  return { ...projection(a, basis, part), before, after };
}

/** Multiplies each row or column by a number, in place. */
function scaleEach({ data, columns }: Matrix, side: 'rows' | 'columns', factor: (index: number) => number): void {
  for (let i = 0; i < data.length; i++) data[i] *= factor(side === 'rows' ? Math.floor(i / columns) : i % columns);
}
