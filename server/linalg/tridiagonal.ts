/** @file Eigenvalues and selected eigenvectors of a symmetric tridiagonal matrix. */
import { uniform } from './uniform.ts';

const ITERATIONS_PER_EIGENVALUE = 50;

/**
 * All eigenvalues by the QL algorithm without square roots (Pal, Walker & Kahan; Parlett, The Symmetric Eigenvalue Problem,
 * 8.15; LAPACK dsterf).
 *
 * @param diagonal [n]
 * @param offDiagonal [n - 1]
 * @returns [n], descending
 */
export function tridiagonalEigenvalues(diagonal: Float64Array, offDiagonal: Float64Array): Float64Array {
  const n = diagonal.length;
  const d = diagonal.slice();
  /** Squares of the off-diagonal. */
  const e = new Float64Array(n);
  for (let i = 0; i < n - 1; i++) e[i] = offDiagonal[i] * offDiagonal[i];
  for (let first = 0; first < n; first++) {
    for (let iteration = 0; ; iteration++) {
      const last = blockEnd(d, e, first);
      if (last === first) break;
      if (iteration === ITERATIONS_PER_EIGENVALUE) throw new Error('An eigenvalue did not converge.');
      sweep(d, e, first, last);
    }
  }
  return d.sort().reverse();
}

/** Last index of the unreduced block that starts at `first`: the next off-diagonal element is negligible. */
function blockEnd(d: Float64Array, e: Float64Array, first: number): number {
  let last = first;
  while (last < d.length - 1) {
    const negligible = Number.EPSILON * 0.5 * (Math.abs(d[last]) + Math.abs(d[last + 1]));
    if (e[last] <= negligible * negligible) break;
    last++;
  }
  return last;
}

/** One QL sweep with Wilkinson's shift over the block `first`..`last`. */
function sweep(d: Float64Array, e: Float64Array, first: number, last: number): void {
  const root = Math.sqrt(e[first]);
  const ratio = (d[first + 1] - d[first]) / (2 * root);
  const length = Math.sqrt(ratio * ratio + 1);
  const shift = d[first] - root / (ratio + (ratio < 0 ? -length : length));
  let cosine = 1;
  let sine = 0;
  let gamma = d[last] - shift;
  let p = gamma * gamma;
  for (let i = last - 1; i >= first; i--) {
    const square = e[i];
    const r = p + square;
    if (i < last - 1) e[i + 1] = sine * r;
    const previousCosine = cosine;
    cosine = p / r;
    sine = square / r;
    const previousGamma = gamma;
    gamma = cosine * (d[i] - shift) - sine * previousGamma;
    d[i + 1] = previousGamma + (d[i] - gamma);
    // gamma^2 / cosine, by a division that need not wait for the cosine.
    p = p === 0 ? previousCosine * square : gamma * gamma * (r / p);
  }
  e[first] = sine * p;
  d[first] = shift + gamma;
}

/** The first solve leaves parts of other vectors of about n epsilon ||T|| / gap, the second the square of that. */
const SOLVES = 2;

/**
 * Unit eigenvectors for given eigenvalues by inverse iteration from a random start (EISPACK tinvit, LAPACK dstein).
 * Vectors of close eigenvalues are independent, but not orthogonal to each other.
 *
 * @param eigenvalues some of the matrix's, descending
 * @returns column j is the vector of eigenvalue j, [n, eigenvalues.length] row-major
 */
export function tridiagonalEigenvectors(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  eigenvalues: Float64Array,
): Float32Array {
  const n = diagonal.length;
  const count = eigenvalues.length;
  const norm = normOf(diagonal, offDiagonal);
  const solver = new ShiftedSolver(diagonal, offDiagonal, norm * Number.EPSILON || Number.MIN_VALUE);
  const random = uniform(1);
  const x = new Float64Array(n);
  const vectors = new Float32Array(n * count);
  let previous = Infinity;
  for (let j = 0; j < count; j++) {
    const shift = Math.min(eigenvalues[j], previous - 10 * Number.EPSILON * norm);
    previous = shift;
    solver.factorize(shift);
    for (let i = 0; i < n; i++) x[i] = random();
    // What is eliminated from a random start is as good a random start.
    solver.substitute(x);
    normalize(x);
    for (let solve = 1; solve < SOLVES; solve++) {
      solver.eliminate(x);
      solver.substitute(x);
      normalize(x);
    }
    for (let i = 0; i < n; i++) vectors[i * count + j] = x[i];
  }
  return vectors;
}

/** Largest sum of magnitudes in a row. */
function normOf(d: Float64Array, e: Float64Array): number {
  let norm = 0;
  for (let i = 0; i < d.length; i++) {
    norm = Math.max(norm, Math.abs(d[i]) + Math.abs(e[i - 1] ?? 0) + Math.abs(e[i] ?? 0));
  }
  return norm;
}

function normalize(x: Float64Array): void {
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]));
  const unit = 1 / largest;
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += x[i] * unit * (x[i] * unit);
  const scale = unit / Math.sqrt(squares);
  for (let i = 0; i < x.length; i++) x[i] *= scale;
}

/** L U factors, with partial pivoting, of T - shift I (LAPACK dlagtf, dlagts). */
class ShiftedSolver {
  readonly #d: Float64Array;
  readonly #e: Float64Array;
  readonly #smallestPivot: number;
  /** Rows of U: reciprocal of the diagonal, and the two elements right of it. */
  readonly #u: readonly [Float64Array, Float64Array, Float64Array];
  readonly #multipliers: Float64Array;
  readonly #swapped: Uint8Array;

  /** @param smallestPivot replaces a pivot of smaller magnitude */
  constructor(diagonal: Float64Array, offDiagonal: Float64Array, smallestPivot: number) {
    const n = diagonal.length;
    this.#d = diagonal;
    this.#e = offDiagonal;
    this.#smallestPivot = smallestPivot;
    this.#u = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
    this.#multipliers = new Float64Array(n);
    this.#swapped = new Uint8Array(n);
  }

  factorize(shift: number): void {
    const [u0, u1, u2] = this.#u;
    const d = this.#d;
    const e = this.#e;
    const last = d.length - 1;
    let pivot = d[0] - shift;
    let right = last > 0 ? e[0] : 0;
    for (let i = 0; i < last; i++) {
      const below = e[i];
      const nextDiagonal = d[i + 1] - shift;
      const nextRight = i + 1 < last ? e[i + 1] : 0;
      if (Math.abs(below) > Math.abs(pivot)) {
        const multiplier = pivot / below;
        this.#swapped[i] = 1;
        this.#multipliers[i] = multiplier;
        u0[i] = 1 / below;
        u1[i] = nextDiagonal;
        u2[i] = nextRight;
        pivot = right - multiplier * nextDiagonal;
        right = -multiplier * nextRight;
      } else {
        const safe = this.#safePivot(pivot);
        const multiplier = below / safe;
        this.#swapped[i] = 0;
        this.#multipliers[i] = multiplier;
        u0[i] = 1 / safe;
        u1[i] = right;
        u2[i] = 0;
        pivot = nextDiagonal - multiplier * right;
        right = nextRight;
      }
    }
    u0[last] = 1 / this.#safePivot(pivot);
    u1[last] = 0;
    u2[last] = 0;
  }

  /** Overwrites x by L^-1 x, in the order of the pivots. */
  eliminate(x: Float64Array): void {
    const multipliers = this.#multipliers;
    const swapped = this.#swapped;
    const last = x.length - 1;
    let current = x[0];
    for (let i = 0; i < last; i++) {
      const next = x[i + 1];
      if (swapped[i] === 1) {
        x[i] = next;
        current -= multipliers[i] * next;
      } else {
        x[i] = current;
        current = next - multipliers[i] * current;
      }
    }
    x[last] = current;
  }

  /** Overwrites x by U^-1 x. */
  substitute(x: Float64Array): void {
    const [u0, u1, u2] = this.#u;
    let after = 0;
    let afterNext = 0;
    for (let i = x.length - 1; i >= 0; i--) {
      const value = (x[i] - u1[i] * after - u2[i] * afterNext) * u0[i];
      x[i] = value;
      afterNext = after;
      after = value;
    }
  }

  #safePivot(pivot: number): number {
    if (Math.abs(pivot) >= this.#smallestPivot) return pivot;
    return pivot < 0 ? -this.#smallestPivot : this.#smallestPivot;
  }
}
