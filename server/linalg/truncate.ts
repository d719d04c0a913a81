/** @file The best approximation of a matrix by one of lower rank. */
import { backTransform } from './backTransform.ts';
import { checkMatrix } from './checkMatrix.ts';
import { tridiagonalize, type Tridiagonalization } from './kernels.ts';
import { orthonormalizeRows } from './orthonormalize.ts';
import { defaultThreads, Products, type GramPrecision, type Matrix } from './products.ts';
import { rootsOf } from './singularValues.ts';
import { tridiagonalEigenvalues, tridiagonalEigenvectors } from './tridiagonal.ts';

/** The truncated singular value decomposition A_r = U_r S_r V_r'. */
export interface Truncation {
  /** U_r S_r, [rows, rank]. */
  left: Float32Array;
  /** V_r', [rank, columns]; its rows are orthonormal, also where a singular value is zero. */
  right: Float32Array;
  /** The leading singular values of A, descending, [rank]. */
  singularValues: Float64Array;
  /** ||A - A_r||_F, of the float32 factors. */
  error: number;
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
 * The matrix A_r of rank at most `rank` that minimizes ||A - A_r||_F (Eckart & Young 1936), through the eigenvectors of
 * the Gram matrix of the shorter side. There is no accuracy to choose: the error exceeds the minimum only by the rounding
 * of the float32 factors, below 1e-5 ||A||_F, and singular values have a relative error below 1e-4 down to 1e-5 of the
 * largest.
 *
 * The tridiagonalization runs on the calling thread and blocks its event loop: about 5 ms for [300, 784], 0.5 s for
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
  if (norm === 0) return truncationOfZero(rows, columns, count);

  const exponent = Math.round(Math.log2(norm));
  const scale = Math.abs(exponent) > LARGEST_EXPONENT ? 2 ** exponent : 1;
  const a = { data: scale === 1 ? matrix : matrix.map((element) => element / scale), rows, columns };
  const products = new Products(options.threads ?? defaultThreads(rows, columns));
  const { vectors, singularValues } = await leadingVectors(a, count, products);
  const right = await orthonormalizeRows(
    rows <= columns ? await products.multiplyLeftTransposed(vectors, a) : transposed(vectors),
    products,
  );
  const left = await products.multiplyRightTransposed(a, right);
  let squares = 0;
  for (const square of await products.residualSquares(a, left, right)) squares += square;
  if (scale !== 1) for (let i = 0; i < left.data.length; i++) left.data[i] *= scale;
  return {
    left: left.data,
    right: right.data,
    singularValues: singularValues.map((value) => value * scale),
    error: Math.sqrt(squares) * scale,
  };
}

/**
 * Multiplies the factors of a truncation: A_r, written to `target` [rows, columns], which may be the matrix itself.
 *
 * @param options.threads of the matrix product; default: by size and machine
 * @throws RangeError when the shapes do not fit
 */
export async function reconstruct(
  { left, right }: Pick<Truncation, 'left' | 'right'>,
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

/** The leading `count` eigenvectors of the Gram matrix of the shorter side, as columns, and the singular values. */
async function leadingVectors(
  a: Matrix,
  count: number,
  products: Products,
): Promise<{ vectors: Matrix; singularValues: Float64Array }> {
  const size = Math.min(a.rows, a.columns);
  let precision: GramPrecision = size < FLOAT64_GRAM_BELOW ? 'float64' : 'float32';
  let spectrum = await decompose(a, precision, products);
  if (precision === 'float32' && ratioOf(spectrum.eigenvalues, count) < FLOAT32_GRAM_RATIO) {
    precision = 'float64';
    spectrum = await decompose(a, precision, products);
  }
  const { tridiagonal, eigenvalues } = spectrum;
  const leading = eigenvalues.slice(0, count);
  const data = tridiagonalEigenvectors(tridiagonal.diagonal, tridiagonal.offDiagonal, leading);
  const vectors = await backTransform(tridiagonal, { data, rows: size, columns: count }, products);
  return { vectors, singularValues: rootsOf(leading) };
}

async function decompose(
  a: Matrix,
  precision: GramPrecision,
  products: Products,
): Promise<{ tridiagonal: Tridiagonalization; eigenvalues: Float64Array }> {
  const gram = await products.gram(a, a.rows <= a.columns ? 'rows' : 'columns', precision);
  const tridiagonal = tridiagonalize(gram, Math.min(a.rows, a.columns), true);
  return { tridiagonal, eigenvalues: tridiagonalEigenvalues(tridiagonal.diagonal, tridiagonal.offDiagonal) };
}

/** s_count / s_1 */
function ratioOf(eigenvalues: Float64Array, count: number): number {
  return Math.sqrt(Math.max(0, eigenvalues[count - 1]) / eigenvalues[0]);
}

function transposed({ data, rows, columns }: Matrix): Matrix {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column];
  }
  return { data: result, rows: columns, columns: rows };
}

/** Any orthonormal rows will do for the matrix of zeros: those of the identity. */
function truncationOfZero(rows: number, columns: number, rank: number): Truncation {
  const right = new Float32Array(rank * columns);
  for (let i = 0; i < rank; i++) right[i * columns + i] = 1;
  return { left: new Float32Array(rows * rank), right, singularValues: new Float64Array(rank), error: 0 };
}
