import { describe, expect, test } from 'vitest';
import { orthonormalizeRows } from '../../../server/linalg/orthonormalize.ts';
import { Products, type Matrix } from '../../../server/linalg/products.ts';
import { truncate } from '../../../server/linalg/truncate.ts';
import { updateTruncation } from '../../../server/linalg/updateTruncation.ts';
import { bellShaped, referenceMatrix } from '../../fixtures/linalg/matrices.ts';
import { departureFromOrthonormal, distance } from './measures.ts';

const normOf = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** The best approximation of a rank, plus a change of the given size relative to it: what training does between two distortions. */
async function drifted(name: string, rank: number, size: number) {
  const { data, rows, columns } = referenceMatrix(name);
  const { left, right, basis } = await truncate(data, rows, columns, rank);
  const random = bellShaped(5);
  const change = Float32Array.from({ length: data.length }, random);
  const truncated = new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (let k = 0; k < rank; k++)
      for (let column = 0; column < columns; column++)
        truncated[row * columns + column] += left[row * rank + k] * right[k * columns + column];
  const scale = (size * normOf(truncated)) / normOf(change);
  return { matrix: truncated.map((value, i) => value + scale * change[i]), rows, columns, basis };
}

test.each([
  ['trained', 24, 0.01],
  ['trained', 60, 0.01],
  ['slow wide', 20, 0.001],
  ['slow tall', 20, 0.01],
  ['slow tall', 60, 0.01],
  ['gaussian', 32, 0.02],
  ['large', 64, 0.01],
  ['slow tall', 20, 0.2],
  ['trained', 24, 0.2],
  ['large', 64, 0.2],
])(
  'after the %s matrix of rank %i has drifted by %d of its norm, the update is optimal within 1e-4',
  async (name, rank, size) => {
    const { matrix, rows, columns, basis } = await drifted(name, rank, size);
    const updated = await updateTruncation(matrix, rows, columns, basis);
    if (updated === undefined) throw new Error('The update gave up.');
    const best = await truncate(matrix, rows, columns, rank);
    const norm = normOf(matrix);
    const error = distance(matrix, updated, rows, columns);
    expect((error - distance(matrix, best, rows, columns)) / norm).toBeLessThan(1e-4);
    expect(departureFromOrthonormal(updated.basis, rank, Math.min(rows, columns))).toBeLessThan(2e-6);
  },
);

test.each(
  ['trained', 'slow tall', 'slow wide', 'gaussian'].flatMap((name) =>
    [0.1, 0.2, 0.3, 0.4, 0.6].map((size) => [name, size] as const),
  ),
)(
  'after the %s matrix of rank 20 has drifted by %d of its norm, the update is optimal within 1e-4 or given up',
  async (name, size) => {
    const { matrix, rows, columns, basis } = await drifted(name, 20, size);
    const updated = await updateTruncation(matrix, rows, columns, basis);
    if (updated === undefined) return;
    const best = await truncate(matrix, rows, columns, 20);
    const excess = distance(matrix, updated, rows, columns) - distance(matrix, best, rows, columns);
    expect(excess / normOf(matrix)).toBeLessThan(1e-4);
  },
);

test('a matrix that has nothing to do with the basis, and no gap at the rank, is given up', async () => {
  const { data, rows, columns } = referenceMatrix('gaussian');
  const random = bellShaped(9);
  const other = Float32Array.from({ length: data.length }, random);
  const { basis } = await truncate(other, rows, columns, 32);
  expect(await updateTruncation(data, rows, columns, basis)).toBeUndefined();
});

describe('a direction without any part in the basis that has become one of the strongest is not missed', () => {
  /** Orthonormal rows, random. */
  async function directions(count: number, length: number, seed: number): Promise<Matrix> {
    const data = Float32Array.from({ length: count * length }, bellShaped(seed));
    return orthonormalizeRows({ data, rows: count, columns: length }, new Products(1));
  }

  /** The sum of `values[i]` times the outer product of the i-th directions. */
  function composed(
    { data: left, columns: rows }: Matrix,
    { data: right, columns }: Matrix,
    values: readonly number[],
  ) {
    const matrix = new Float64Array(rows * columns);
    for (const [i, value] of values.entries())
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++)
          matrix[row * columns + column] += value * left[i * rows + row] * right[i * columns + column];
    return Float32Array.from(matrix);
  }

  async function expectKept(matrix: Float32Array, rows: number, columns: number, basis: Float32Array): Promise<void> {
    const updated = await updateTruncation(matrix, rows, columns, basis);
    if (updated === undefined) return;
    const best = await truncate(matrix, rows, columns, basis.length / Math.min(rows, columns));
    const excess = distance(matrix, updated, rows, columns) - distance(matrix, best, rows, columns);
    expect(excess / normOf(matrix)).toBeLessThan(1e-4);
  }

  test('a diagonal matrix', async () => {
    const matrix = new Float32Array(16);
    [3, 2, 10, 0].forEach((value, i) => (matrix[5 * i] = value));
    await expectKept(matrix, 4, 4, Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0));
  });

  test.each([
    ['tall', 100, 80],
    ['wide', 80, 100],
  ])('one of a value of 50 beside ten of 2 to 3: %s', async (_, rows, columns) => {
    const values = [...Array.from({ length: 10 }, (_, i) => 3 - i / 10), 50];
    const matrix = composed(await directions(11, rows, 1), await directions(11, columns, 2), values);
    const side = await directions(11, Math.min(rows, columns), rows < columns ? 1 : 2);
    await expectKept(matrix, rows, columns, side.data.slice(0, 10 * side.columns));
  });

  // The new one is stronger than the weakest of the basis, by little or much, and the rest are a gap below or none.
  test.each(
    [1.2, 1.5, 2, 5, 20].flatMap((factor) =>
      [0.2, 0.5, 0.8].flatMap((gap) => [1, 3].map((count) => [factor, gap, count])),
    ),
  )('%d times the weakest of the basis, the others %d of that, %i of them', async (factor, gap, count) => {
    const [rows, columns, rank] = [150, 120, 20];
    const kept = Array.from({ length: rank }, (_, i) => 3 - (2 * i) / (rank - 1));
    const missed = Array.from({ length: count }, () => factor);
    const rest = Array.from({ length: columns - rank - count }, (_, i) => gap * (1 - i / (2 * columns)));
    for (const seed of [1, 2, 3]) {
      const right = await directions(columns, columns, 10 + seed);
      const matrix = composed(await directions(columns, rows, 20 + seed), right, [...kept, ...missed, ...rest]);
      await expectKept(matrix, rows, columns, right.data.slice(0, rank * columns));
    }
  });

  test('units that wake up: columns that were zeros', async () => {
    const [rows, columns, rank] = [90, 70, 8];
    const random = bellShaped(3);
    const matrix = Float32Array.from({ length: rows * columns }, (_, i) => (i % columns < 60 ? random() : 0));
    const { basis } = await truncate(matrix, rows, columns, rank);
    for (let i = 0; i < matrix.length; i++) if (i % columns >= 65) matrix[i] = 6 * random();
    await expectKept(matrix, rows, columns, basis);
  });

  test('blocks: what was the weaker one is the stronger one', async () => {
    const [rows, columns, rank] = [80, 60, 10];
    const random = bellShaped(4);
    const blocks = (upper: number, lower: number) =>
      Float32Array.from({ length: rows * columns }, (_, i) => {
        const [row, column] = [Math.floor(i / columns), i % columns];
        if (row < 40 && column < 30) return upper * random();
        return row >= 40 && column >= 30 ? lower * random() : 0;
      });
    const { basis } = await truncate(blocks(1, 0), rows, columns, rank);
    for (const lower of [0.1, 0.9, 1.1, 3, 30]) await expectKept(blocks(1, lower), rows, columns, basis);
  });

  test('sparse matrices with the basis of others', async () => {
    const [rows, columns, rank] = [60, 50, 6];
    for (let seed = 1; seed <= 30; seed++) {
      const random = bellShaped(seed);
      const sparse = () =>
        Float32Array.from({ length: rows * columns }, () =>
          Math.abs(random()) > 2 ? random() * 2 ** (2 * random()) : 0,
        );
      const { basis } = await truncate(sparse(), rows, columns, rank);
      await expectKept(sparse(), rows, columns, basis);
    }
  });
});

test('zeros are given up, what is not finite or does not fit is refused', async () => {
  const basis = Float32Array.of(1, 0);
  expect(await updateTruncation(new Float32Array(6), 2, 3, basis)).toBeUndefined();
  await expect(updateTruncation(Float32Array.of(1, 2, 3, 4, 5, NaN), 2, 3, basis)).rejects.toThrow('row 1, column 2');
  await expect(updateTruncation(new Float32Array(6), 2, 3, new Float32Array(3))).rejects.toThrow('does not fit');
});
