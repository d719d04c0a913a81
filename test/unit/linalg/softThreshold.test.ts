import fc from 'fast-check';
import { expect, test } from 'vitest';
import { softThreshold } from '../../../server/linalg/softThreshold.ts';
import { referenceMatrix, bellShaped } from '../../fixtures/linalg/matrices.ts';
import { jacobiMapped, jacobiSingularValues } from './jacobi.ts';

/** Elements of float32 factors and their product, for matrices with elements of about 1 and up to 30 rows. */
const ROUNDING = 1e-5;

interface Case {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** What is left of a matrix, summed in float64. */
async function thresholded({ data, rows, columns }: Case, threshold: number): Promise<number[]> {
  const { left, right, after } = await softThreshold(data, rows, columns, threshold);
  const rank = after.length;
  return Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return after.reduce((sum, __, k) => sum + left[row * rank + k] * right[k * columns + column], 0);
  });
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance = ROUNDING): void {
  expect(Math.max(0, ...actual.map((value, i) => Math.abs(value - expected[i])))).toBeLessThan(tolerance);
}

const matrix = (rows: number, ...data: number[]): Case => ({
  rows,
  columns: data.length / rows,
  data: Float32Array.from(data),
});

/** Matrices of any shape, some with rows that are copies of others, and so with equal singular values 0. */
const matrices = fc
  .tuple(
    fc.integer({ min: 1, max: 24 }),
    fc.integer({ min: 1, max: 24 }),
    fc.integer({ min: 1, max: 24 }),
    fc.integer({ min: 1, max: 1e6 }),
  )
  .map(([rows, columns, distinct, seed]): Case => {
    const data = Float32Array.from({ length: rows * columns }, bellShaped(seed));
    for (let i = distinct * columns; i < data.length; i++) data[i] = data[i % (distinct * columns)];
    return { rows, columns, data };
  });
const thresholds = fc.double({ min: 0, max: 8, noNaN: true });

// Computed with numpy.linalg.svd for the project's notes on the paper.
test('singular values 4, 2 and 0.5 less 0.8', async () => {
  const tall = matrix(4, 3, 1, 0, 1, 3, 0, 0, 0, 0.5, 0, 0, 0);
  const { before, after } = await softThreshold(tall.data, 4, 3, 0.8);
  expectClose([...before], [4, 2, 0.5]);
  expectClose([...after], [3.2, 1.2]);
  expectClose(await thresholded(tall, 0.8), [2.2, 1, 0, 1, 2.2, 0, 0, 0, 0, 0, 0, 0]);
});

test('a wide matrix with singular values 2.536538 and 0.903313 less 0.6', async () => {
  const wide = matrix(2, 1, 2, -1, 0, 1, 0.5);
  const { before } = await softThreshold(wide.data, 2, 3, 0.6);
  expectClose([...before], [2.536538, 0.903313]);
  expectClose(await thresholded(wide, 0.6), [0.730417, 1.575022, -0.673322, 0.114189, 0.597196, 0.070221]);
});

test('any matrix becomes what a Jacobi decomposition in float64 gives', async () => {
  await fc.assert(
    fc.asyncProperty(matrices, thresholds, async (a, threshold) => {
      const expected = jacobiMapped(a.data, a.rows, a.columns, (value) => Math.max(0, value - threshold));
      expectClose(await thresholded(a, threshold), expected);
      const { before, after } = await softThreshold(a.data, a.rows, a.columns, threshold);
      const values = jacobiSingularValues(a.data, a.rows, a.columns);
      expect(before.length).toBe(values.length);
      expectClose([...before], values);
      after.forEach((value, k) => expect(value).toBe(before[k] - threshold));
    }),
  );
});

test('two matrices come no farther from one another', async () => {
  const distance = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    Math.hypot(...Array.from(x, (value, i) => value - y[i]));
  await fc.assert(
    fc.asyncProperty(matrices, fc.integer({ min: 1, max: 1e6 }), thresholds, async (a, seed, threshold) => {
      const b = { ...a, data: Float32Array.from({ length: a.data.length }, bellShaped(seed)) };
      const mapped = distance(await thresholded(a, threshold), await thresholded(b, threshold));
      expect(mapped).toBeLessThan(distance(a.data, b.data) + 10 * ROUNDING);
    }),
  );
});

test('orthogonal factors go through it: U A V becomes U what A becomes V', async () => {
  /** The plane rotation of the last two rows by an angle, applied to the columns of `x` where it stands on the right. */
  const turnRows = ({ rows, columns, data }: Case, angle: number): Case => {
    const turned = data.slice();
    const [p, q] = [(rows - 2) * columns, (rows - 1) * columns];
    for (let j = 0; j < columns; j++) {
      turned[p + j] = Math.cos(angle) * data[p + j] - Math.sin(angle) * data[q + j];
      turned[q + j] = Math.sin(angle) * data[p + j] + Math.cos(angle) * data[q + j];
    }
    return { rows, columns, data: turned };
  };
  const transposed = ({ rows, columns, data }: Case): Case => ({
    rows: columns,
    columns: rows,
    data: data.map((_, at) => data[(at % rows) * columns + Math.floor(at / rows)]),
  });
  const turned = (a: Case, left: number, right: number) => transposed(turnRows(transposed(turnRows(a, left)), right));
  const angles = fc.double({ min: -3, max: 3, noNaN: true });
  await fc.assert(
    fc.asyncProperty(matrices, thresholds, angles, angles, async (a, threshold, left, right) => {
      fc.pre(a.rows > 1 && a.columns > 1);
      const mapped = { ...a, data: Float32Array.from(await thresholded(a, threshold)) };
      expectClose(await thresholded(turned(a, left, right), threshold), [...turned(mapped, left, right).data], 2e-5);
    }),
  );
});

test('no other matrix has a smaller 1/2 ||X - A||^2 + t ||X||_*', async () => {
  const objective = ({ data, rows, columns }: Case, x: ArrayLike<number>, threshold: number) => {
    const distance = data.reduce((sum, value, i) => sum + (value - x[i]) ** 2, 0);
    return distance / 2 + threshold * jacobiSingularValues(x, rows, columns).reduce((sum, value) => sum + value, 0);
  };
  await fc.assert(
    fc.asyncProperty(matrices, thresholds, fc.integer({ min: 1, max: 1e6 }), async (a, threshold, seed) => {
      const left = await thresholded(a, threshold);
      const random = bellShaped(seed);
      const least = objective(a, left, threshold);
      for (const size of [1, 0.1]) {
        const other = left.map((value) => value + size * random());
        // The values are sums of some hundred squares; float32 factors are off by 1e-5 of some of their size.
        expect(least).toBeLessThan(objective(a, other, threshold) + 1e-3);
      }
    }),
    { numRuns: 50 },
  );
});

test('a diagonal matrix is thresholded element by element', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 12 }), async (diagonal) => {
      const size = diagonal.length;
      const place = (values: readonly number[]) =>
        Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? values[at / (size + 1)] : 0));
      const soft = (value: number) => Math.sign(value) * Math.max(0, Math.abs(value) - 1.5);
      const a = { rows: size, columns: size, data: Float32Array.from(place(diagonal.map((value) => value / 8))) };
      expectClose(await thresholded(a, 1.5), place(diagonal.map((value) => soft(value / 8))));
    }),
  );
});

test('a threshold of 0 leaves the matrix, and drops only directions that are rounding', async () => {
  const { data, rows, columns } = referenceMatrix('trained');
  const { before, after, left, right } = await softThreshold(data, rows, columns, 0);
  expect(after.length).toBe(before.filter((value) => value > 1e-6 * before[0]).length);
  expect(left.length).toBe(rows * after.length);
  expect(right.length).toBe(after.length * columns);
  const [a, twice] = [matrix(2, 1, 2, 2, 4), await softThreshold(Float32Array.of(1, 2, 2, 4), 2, 2, 0)];
  expectClose(await thresholded(a, 0), [1, 2, 2, 4]);
  expect(twice.after.length).toBe(1);
});

test('a threshold above all singular values leaves nothing, and the matrix of zeros stays so', async () => {
  const all = await softThreshold(Float32Array.of(3, 0, 0, 4), 2, 2, 4);
  expect([...all.before]).toEqual([4, 3]);
  expect([all.after.length, all.left.length, all.right.length]).toEqual([0, 0, 0]);
  const zeros = await softThreshold(new Float32Array(6), 2, 3, 0);
  expect([...zeros.before, zeros.after.length]).toEqual([0, 0, 0]);
});

test('a threshold below 0, or one that is no number, and a matrix that is not finite are refused', async () => {
  const data = Float32Array.of(1, 2, 3, 4);
  await expect(softThreshold(data, 2, 2, -1)).rejects.toThrow('A threshold is a number from 0, not -1.');
  await expect(softThreshold(data, 2, 2, NaN)).rejects.toThrow(RangeError);
  await expect(softThreshold(data, 2, 3, 1)).rejects.toThrow('A [2, 3] matrix has 6 elements, not 4.');
  await expect(softThreshold(Float32Array.of(1, NaN), 1, 2, 1)).rejects.toThrow('The matrix is not finite');
});
