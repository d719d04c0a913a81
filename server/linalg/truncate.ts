/** @file The best approximation of a matrix by one of lower rank. */
import { imageOfFirstUnits } from './applyReflectors.ts';
import { checkMatrix } from './checkMatrix.ts';
import { eigenvectorsOf, gramSpectrum } from './gramSpectrum.ts';
import { reduceRows } from './kernels.ts';
import { orthonormalizeRows } from './orthonormalize.ts';
import { defaultThreads, Products, type GramPrecision, type Matrix } from './products.ts';
import { coordinates, isTall, projection, type Factors } from './shorterSide.ts';
import { rootsOf } from './singularValues.ts';

/** The best approximation of a rank, `left * right`. */
export interface Truncation extends Factors {
  /**
   * An orthonormal basis of what the approximation spans on the shorter side, [rank, min(rows, columns)]: `right` itself,
   * or the transpose of `left` where there are fewer rows than columns.
   */
  readonly basis: Float32Array;
  /** The leading singular values of A, descending, [rank]. */
  readonly singularValues: Float64Array;
}

/**
 * Ratio s_r / s_1 below which the float32 Gram matrix is given up: it holds squares, so its rounding grows with
 * (s_1 / s_r)^2. Measured relative errors of s_r: at most 3e-5 above this ratio, more than 1e-4 at half of it.
 */
const FLOAT32_GRAM_RATIO = 1e-2;
/**
 * Below this length of the shorter side, the Gram matrix is float64 at once: measured for [300, 784], that adds a tenth to
 * the time, while giving a float32 one up adds two thirds.
 */
const FLOAT64_GRAM_BELOW = 512;
/** Base 2. A larger or smaller norm is scaled away, so that no square leaves the range of float32. */
const LARGEST_EXPONENT = 30;

/**
 * Below this part of all singular values, those that are cut tell the subspace that stays at less cost than those that stay.
 */
const FEW_ARE_CUT = 1 / 3;

/**
 * The matrix A_r of rank at most `rank` that minimizes ||A - A_r||_F (Eckart & Young 1936), through eigenvectors of
 * the Gram matrix of the shorter side. There is no accuracy to choose: the error exceeds the minimum only by the rounding
 * of the float32 factors, below 1e-5 ||A||_F, and singular values have a relative error below 1e-4 down to 1e-5 of the
 * largest.
 *
 * The tridiagonalization runs on the calling thread and blocks its event loop: about 5 ms for [300, 784], 0.3 s for
 * [1500, 6000]. The same input gives the same factors.
 *
 * @param matrix A [rows, columns], row-major; must not change before the promise is settled
 * @param rank at least 1; more than min(rows, columns) is taken as that
 * @param options.threads of the matrix products; default: by size and machine
 * @throws RangeError for a wrong shape or rank or an element that is not finite
 */
export async function truncate(
  matrix: Float32Array,
  rows: number,
  columns: number,
  rank: number,
  options: { threads?: number } = {},
): Promise<Truncation> {
  const norm = checkMatrix({ data: matrix, rows, columns });
  if (!Number.isInteger(rank) || rank < 1) throw new RangeError(`A rank is a whole number from 1, not ${rank}.`);
  const count = Math.min(rank, rows, columns);
  if (norm === 0) return truncationOfZero({ data: matrix, rows, columns }, count);

  const exponent = Math.round(Math.log2(norm));
  const scale = Math.abs(exponent) > LARGEST_EXPONENT ? 2 ** exponent : 1;
  const a = { data: scale === 1 ? matrix : matrix.map((element) => element / scale), rows, columns };
  const products = new Products(options.threads ?? defaultThreads(rows, columns));
  const { basis, singularValues } = await leadingBasis(a, count, products);
  const part = await coordinates(a, basis, products);
  if (scale !== 1) for (let i = 0; i < part.data.length; i++) part.data[i] *= scale;
  return {
    ...projection(a, basis, part),
    basis: basis.data,
    singularValues: singularValues.map((value) => value * scale),
  };
}

/**
 * Multiplies the factors of a truncation: A_r, written to `target` [rows, columns], which may be the matrix itself.
 *
 * @param options.threads of the matrix product; default: by size and machine
 * @throws RangeError when the shapes do not fit
 */
export async function reconstruct(
  { left, right }: Factors,
  rows: number,
  columns: number,
  target: Float32Array,
  options: { threads?: number } = {},
): Promise<void> {
  const rank = left.length / rows;
  if (right.length !== rank * columns || target.length !== rows * columns)
    throw new RangeError(
      `Factors of ${left.length} and ${right.length} elements do not make a [${rows}, ${columns}] matrix of ${target.length}.`,
    );
  const products = new Products(options.threads ?? defaultThreads(rows, columns));
  await products.multiplyInto(target, { data: left, rows, columns: rank }, { data: right, rows: rank, columns });
}

/** An orthonormal basis of the leading `count` eigenvectors of the Gram matrix of the shorter side, and the singular values. */
async function leadingBasis(
  a: Matrix,
  count: number,
  products: Products,
): Promise<{ basis: Matrix; singularValues: Float64Array }> {
  const size = Math.min(a.rows, a.columns);
  let precision: GramPrecision = size < FLOAT64_GRAM_BELOW ? 'float64' : 'float32';
  let spectrum = await gramSpectrum(a, precision, products);
  if (precision === 'float32' && ratioOf(spectrum.eigenvalues, count) < FLOAT32_GRAM_RATIO) {
    precision = 'float64';
    spectrum = await gramSpectrum(a, precision, products);
  }
  const eigenvectors = (some: Float64Array) => eigenvectorsOf(spectrum, some, products);
  const leading = spectrum.eigenvalues.subarray(0, count);
  const basis =
    size - count < FEW_ARE_CUT * size
      ? await complement(await eigenvectors(spectrum.eigenvalues.subarray(count)), products)
      : await orthonormalizeRows(await eigenvectors(leading), products);
  return { basis, singularValues: rootsOf(leading) };
}

/** Orthonormal rows that span what is orthogonal to all given rows. */
async function complement({ data, rows, columns }: Matrix, products: Products): Promise<Matrix> {
  return rows === 0 ? identity(columns, columns) : imageOfFirstUnits(reduceRows(data, rows, columns), products);
}

/** s_count / s_1 */
function ratioOf(eigenvalues: Float64Array, count: number): number {
  return Math.sqrt(Math.max(0, eigenvalues[count - 1]) / eigenvalues[0]);
}

/** Any orthonormal rows will do for the matrix of zeros: those of the identity. */
function truncationOfZero(zeros: Matrix, rank: number): Truncation {
  const { rows, columns } = zeros;
  const size = Math.min(rows, columns);
  const basis = identity(rank, size);
  const part = isTall(zeros) ? { rows, columns: rank } : { rows: rank, columns };
  return {
    ...projection(zeros, basis, { ...part, data: new Float32Array(part.rows * part.columns) }),
    basis: basis.data,
    singularValues: new Float64Array(rank),
  };
}

/** The first rows of the identity. */
function identity(rows: number, columns: number): Matrix {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) data[i * columns + i] = 1;
  return { data, rows, columns };
}
