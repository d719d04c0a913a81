/**
 * @file What a basis can have missed. Power iteration never finds a direction in which the basis has no part, so that random
 * probes, orthogonal to the basis, take the same steps: with C the Gram matrix of the shorter side and H what is left of it
 * outside the basis, the largest Rayleigh quotient in the span of H^q times random vectors bounds the largest eigenvalue of H.
 */
import { inverseCholesky } from './inverseCholesky.ts';
import { tridiagonalize } from './kernels.ts';
import { orthonormalizeRows, scaleToUnitDiagonal } from './orthonormalize.ts';
import { isTall } from './shorterSide.ts';
import type { Matrix, Products } from './products.ts';
import { tridiagonalEigenvalues } from './tridiagonal.ts';
import { uniform } from './uniform.ts';

/** Power steps of an update, at most. In trainings, one was enough for a third of the truncations, and two for all. */
export const POWER_STEPS = 3;
/** Fewer where no more fit beside the basis; then they span all that it leaves out, and the bound is exact. */
const PROBES = 16;
/**
 * What a direction has of the squares of {@link PROBES} normal numbers, at least, in all but one of 100,000 cases: that
 * quantile of chi-square with 16 degrees of freedom.
 */
const LEAST_SHARE = 2;
/** Squared pivot of a matrix with a unit diagonal below which rounding could have made it. */
const DEFINITE = 1e-9;

/** Random rows outside a basis [rank, side]: as many as fit beside it, at most {@link PROBES}. */
export function randomProbes(basis: Matrix, products: Products): Promise<Matrix> {
  const rows = Math.min(PROBES, basis.columns - basis.rows);
  const data = Float32Array.from({ length: rows * basis.columns }, uniform(3));
  return outside({ data, rows, columns: basis.columns }, basis, products);
}

/** Orthonormal rows that span what the given rows span outside a basis. */
export async function orthonormalOutside(rows: Matrix, basis: Matrix, products: Products): Promise<Matrix> {
  return rows.rows === 0 ? rows : orthonormalizeRows(await outside(rows, basis, products), products);
}

async function outside(rows: Matrix, basis: Matrix, products: Products): Promise<Matrix> {
  if (rows.rows === 0) return rows;
  const inside = await products.multiply(await products.multiplyRightTransposed(rows, basis), basis);
  return { ...rows, data: rows.data.map((value, i) => value - inside.data[i]) };
}

/** What is known of the directions outside a basis. */
interface Outside {
  /** ||A||^2 minus what the basis captures of it. */
  readonly squaredError: number;
  /** Power steps that the probes have taken. */
  readonly steps: number;
  /** True where the probes span all that is outside the basis. */
  readonly exact: boolean;
}

/**
 * True where a direction outside the basis has more of ||A||^2 than one in it.
 *
 * @param gram B C B' of the basis before its last power step: C raises all x'Cx / x'x, so that a bound from below of the
 *   eigenvalues is one for the present basis, too
 * @param probed coordinates of A in the probes
 * @returns 'unknown' where more power steps might tell
 */
export async function missedBy(
  a: Matrix,
  gram: Float64Array,
  probed: Matrix,
  outside: Outside,
  products: Products,
): Promise<'nothing' | 'something' | 'unknown'> {
  const probes = probed.data.length / Math.max(a.rows, a.columns);
  const rank = Math.sqrt(gram.length);
  const largest = largestOf(await products.gram(probed, isTall(a) ? 'columns' : 'rows', 'float64'), probes);
  if (await isAbove(gram, rank, largestMissed(largest, outside), products)) return 'nothing';
  const last = { ...outside, steps: POWER_STEPS };
  return (await isAbove(gram, rank, largestMissed(largest, last), products)) ? 'unknown' : 'something';
}

function largestOf(gram: Float64Array, size: number): number {
  if (size === 0) return 0;
  const { diagonal, offDiagonal } = tridiagonalize(gram, size, false);
  return Math.max(0, tridiagonalEigenvalues(diagonal, offDiagonal)[0]);
}

/**
 * A bound of the largest part of ||A||^2 in one direction outside the basis, exceeded in one of 100,000 cases.
 *
 * If that part is h and the probes have taken q steps, a vector in their span has at least {@link LEAST_SHARE} of h^2q in its
 * direction, and about (x h)^2q in each other one, of part x h. Its Rayleigh quotient is at most `found`, and is the lowest
 * where these parts, which sum to at most the error, are all alike. That contradicts every h that is too large.
 *
 * @param found the largest part of ||A||^2 in a direction that the probes span
 */
function largestMissed(found: number, { squaredError, steps, exact }: Outside): number {
  if (exact || found >= squaredError) return Math.min(found, squaredError);
  const power = 2 * steps;
  // The maximum of f x^(2q-1) - x^2q over x, as a part of f^2q.
  const worst = (power - 1) ** (power - 1) / power ** power;
  const contradicts = (missed: number) => {
    const part = found / missed;
    return LEAST_SHARE * (1 - part) > (squaredError / missed - 1) * worst * part ** power;
  };
  let [low, high] = [found, squaredError];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (contradicts(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** True where all eigenvalues of a symmetric matrix are above a bound. */
async function isAbove(gram: Float64Array, size: number, bound: number, products: Products): Promise<boolean> {
  const shifted = gram.slice();
  for (let i = 0; i < size; i++) {
    shifted[i * size + i] -= bound;
    if (shifted[i * size + i] <= 0) return false;
  }
  scaleToUnitDiagonal(shifted, size);
  return (await inverseCholesky(shifted, size, DEFINITE, products)).smallestPivot > DEFINITE;
}
