/**
 * @file The best approximation by a lower rank of a matrix that has changed since its last one: block power iteration
 * (Rutishauser 1969; Halko, Martinsson & Tropp 2011, algorithm 4.4) that starts from the last basis.
 */
import { checkMatrix, squaredNorm } from './checkMatrix.ts';
import { missedBy, orthonormalOutside, POWER_STEPS, randomProbes } from './missedDirections.ts';
import { orthonormalizeRows, whiten } from './orthonormalize.ts';
import { defaultThreads, Products, type Matrix } from './products.ts';
import { coordinates, isTall, powerOf, projection } from './shorterSide.ts';
import type { Truncation } from './truncate.ts';

/**
 * What the error may be expected to exceed the least one by, as a part of ||A||_F. In trainings of LSTM language models with
 * 100 steps between two truncations (`npm run bench -- truncation-drift`; figures in test/bench/README.md), the true excess
 * was between half of what is expected and twice that, so that this keeps it below 1e-4.
 */
const TOLERANCE = 4e-5;
/**
 * Half steps capture less and less, but the ratio of two that follow one another grows, about by this factor: directions
 * that are far from their place are found first.
 */
const SLOWING = 2;
/** Squared pivot below which the float32 products tell nothing of a direction. */
const WELL_CONDITIONED = 1e-5;

export interface UpdatedTruncation extends Omit<Truncation, 'singularValues'> {
  /** Power steps that were taken. */
  readonly steps: number;
  /** What the error is expected to exceed the least one by, as a part of ||A||_F. */
  readonly expectedExcess: number;
}

/**
 * A truncation of the rank of the basis whose error is near the least, or undefined where that cannot be told to within
 * 1e-4 ||A||_F after a few steps: then {@link truncate} is called for. Each step takes two products with A and no
 * eigenvalue problem. What is captured of ||A||^2 grows with each half of a step; the last two growths tell how much is
 * still to come. A direction in which the basis has no part shows in no growth: `missedDirections.ts` rules it out, or
 * the result is undefined.
 *
 * @param matrix A [rows, columns], row-major; must not change before the promise is settled
 * @param basis that of the last truncation, [rank, min(rows, columns)], its rows orthonormal
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
  const side = Math.min(rows, columns);
  const rank = basis.length / side;
  if (!Number.isInteger(rank) || rank < 1 || rank > side)
    throw new RangeError(`A basis of ${basis.length} elements does not fit a [${rows}, ${columns}] matrix.`);
  // Squares of the elements must neither vanish nor overflow, and there must be something to capture.
  if (norm < 1e-12 || norm > 1e12) return undefined;

  const products = new Products(options.threads ?? defaultThreads(rows, columns));
  let current: Matrix = { data: basis, rows: rank, columns: side };
  let probes = await randomProbes(current, products);
  let part = await coordinates(a, stacked(current, probes), products);
  let captured = capturedBy(a, part, rank);
  for (let steps = 1; steps <= POWER_STEPS; steps++) {
    const [power, probePower] = split(await powerOf(a, part, products), rank);
    const gram = await products.multiplyToFloat64(power, current);
    const halfway = await capturedHalfway(power, gram, products);
    current = await orthonormalizeRows(power, products);
    probes = await orthonormalOutside(probePower, current, products);
    part = await coordinates(a, stacked(current, probes), products);
    const total = capturedBy(a, part, rank);
    const squaredError = Math.max(0, norm * norm - total);
    const error = Math.sqrt(squaredError);
    const { gain, ratio } = remainingGain(captured, halfway, total);
    captured = total;
    const expectedExcess = (error - Math.sqrt(Math.max(0, squaredError - gain))) / norm;
    if (expectedExcess <= TOLERANCE) {
      const [kept, probed] = splitCoordinates(a, part, rank);
      const missed = { squaredError, steps, exact: rank + probes.rows === side };
      const certain = error <= TOLERANCE * norm ? 'nothing' : await missedBy(a, gram, probed, missed, products);
      if (certain === 'nothing') return { ...projection(a, current, kept), basis: current.data, steps, expectedExcess };
      if (certain === 'something') return undefined;
    } else if (expectedExcess * ratio ** (2 * (POWER_STEPS - steps)) > TOLERANCE) return undefined;
  }
  return undefined;
}

/** The rows of both. */
function stacked(above: Matrix, below: Matrix): Matrix {
  const data = new Float32Array(above.data.length + below.data.length);
  data.set(above.data);
  data.set(below.data, above.data.length);
  return { data, rows: above.rows + below.rows, columns: above.columns };
}

/** The first rows and the rest: views. */
function split({ data, rows, columns }: Matrix, count: number): [Matrix, Matrix] {
  return [
    { data: data.subarray(0, count * columns), rows: count, columns },
    { data: data.subarray(count * columns), rows: rows - count, columns },
  ];
}

/** The coordinates in the first rows of a basis, and those in the rest: copies. */
function splitCoordinates(a: Matrix, part: Matrix, count: number): [Matrix, Matrix] {
  if (!isTall(a))
    return split(part, count).map(({ data, ...shape }) => ({ data: data.slice(), ...shape })) as [Matrix, Matrix];
  const { data, rows, columns } = part;
  const first = new Float32Array(rows * count);
  const rest = new Float32Array(rows * (columns - count));
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    first.set(data.subarray(at, at + count), row * count);
    rest.set(data.subarray(at + count, at + columns), row * (columns - count));
  }
  return [
    { data: first, rows, columns: count },
    { data: rest, rows, columns: columns - count },
  ];
}

/** What the first rows of a basis capture of ||A||^2. */
function capturedBy(a: Matrix, { data, columns }: Matrix, count: number): number {
  if (!isTall(a)) return squaredNorm(data.subarray(0, count * columns));
  let sum = 0;
  for (let at = 0; at < data.length; at += columns) for (let i = at; i < at + count; i++) sum += data[i] * data[i];
  return sum;
}

/**
 * What the basis captures of ||A||^2 that half a step would find, an orthonormal one of A B': with Y = B A'A, of the
 * coordinates A B' of a tall matrix, that is ||L^-1 Y||^2 for L L' = B A'A B' = Y B'. Undefined where it drowns in rounding.
 */
async function capturedHalfway(power: Matrix, gram: Float64Array, products: Products): Promise<number | undefined> {
  const { rows, smallestPivot } = await whiten(power, gram.slice(), products);
  return smallestPivot < WELL_CONDITIONED ? undefined : squaredNorm(rows.data);
}

/** What later steps would still capture, and the ratio of two half steps' gains: they fall geometrically, but ever slower. */
function remainingGain(before: number, halfway: number | undefined, after: number): { gain: number; ratio: number } {
  if (halfway === undefined) return { gain: Math.max(0, after - before), ratio: Math.SQRT1_2 };
  const last = Math.max(0, after - halfway);
  const ratio = Math.min((SLOWING * last) / Math.max(last, halfway - before), 0.9) || 0;
  return { gain: (last * ratio) / (1 - ratio), ratio };
}
