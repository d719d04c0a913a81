import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reconstruct, truncate } from '../../../server/linalg/truncate.ts';
import { bellShaped, referenceMatrix } from '../../fixtures/linalg/matrices.ts';
import { jacobiSingularValues } from './jacobi.ts';
import { departureFromOrthonormal, distance, tailNorm } from './measures.ts';

/** For the largest element of |B B' - I|: some tens of float32 roundings (6e-8). */
const ORTHONORMAL = 2e-6;

test.each([
  ['gaussian', 32],
  ['gaussian', 128],
  ['gaussian square', 128],
  ['slow wide', 1],
  ['slow wide', 20],
  ['slow tall', 20],
  ['slow tall', 60],
  ['trained', 24],
  ['trained', 60],
  ['graded', 10],
  ['graded', 30],
  // From the float32 Gram matrix: s_r / s_1 is 0.1, and 0.015, near the limit. It is given up for 0.003 and 3e-4.
  ['large', 64],
  ['large', 200],
  ['large', 500],
  ['large graded', 24],
])('the truncation of the %s matrix to rank %i is optimal within 1e-4', async (name, rank) => {
  const { data, rows, columns, singularValues: reference } = referenceMatrix(name);
  const truncation = await truncate(data, rows, columns, rank);
  const norm = tailNorm(reference, 0);
  const error = distance(data, truncation, rows, columns);

  const excess = (error - tailNorm(reference, rank)) / norm;
  // The target is 1e-4; what is left is the rounding of the float32 factors.
  expect(excess).toBeLessThan(1e-6);
  expect(departureFromOrthonormal(truncation.basis, rank, Math.min(rows, columns))).toBeLessThan(ORTHONORMAL);
  truncation.singularValues.forEach((value, i) => {
    expect(Math.abs(value - reference[i])).toBeLessThan(1e-4 * reference[i]);
  });
});

test('of any shape and rank, also deficient, the factors have their shapes, an orthonormal basis and the least error', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 45 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 1e6 }),
      async (rows, columns, rank, distinctRows, seed) => {
        const random = bellShaped(seed);
        const data = Float32Array.from({ length: rows * columns }, random);
        for (let i = Math.min(distinctRows, rows) * columns; i < data.length; i++) {
          data[i] = data[i % (Math.min(distinctRows, rows) * columns)];
        }
        const truncation = await truncate(data, rows, columns, rank);
        const count = Math.min(rank, rows, columns);
        expect(truncation.left.length).toBe(rows * count);
        expect(truncation.right.length).toBe(count * columns);
        const size = Math.min(rows, columns);
        expect(truncation.basis.length).toBe(count * size);
        expect(departureFromOrthonormal(truncation.basis, count, size)).toBeLessThan(ORTHONORMAL);
        for (let k = 0; k < count; k++) {
          for (let i = 0; i < size; i++) {
            const factor = rows < columns ? truncation.left[i * count + k] : truncation.right[k * size + i];
            expect(factor).toBe(truncation.basis[k * size + i]);
          }
        }

        const reference = jacobiSingularValues(data, rows, columns);
        const norm = tailNorm(reference, 0);
        const error = distance(data, truncation, rows, columns);
        expect((error - tailNorm(reference, count)) / norm).toBeLessThan(1e-6);
        expect(truncation.singularValues.length).toBe(count);
        for (let k = 0; k < count; k++) {
          const value = truncation.singularValues[k];
          expect(Math.abs(value - reference[k])).toBeLessThan(Math.max(1e-4 * reference[k], 1e-6 * reference[0]));
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('reconstruct writes the product of the factors, also where the target is a view into other memory', async () => {
  const { data, rows, columns } = referenceMatrix('slow tall');
  const truncation = await truncate(data, rows, columns, 12);
  const memory = new Float32Array(rows * columns + 3).fill(7);
  const target = memory.subarray(3);
  await reconstruct(truncation, rows, columns, target);
  const error = Math.sqrt(data.reduce((sum, element, i) => sum + (element - target[i]) ** 2, 0));
  expect(error / distance(data, truncation, rows, columns)).toBeCloseTo(1, 5);
  expect([...memory.subarray(0, 3)]).toEqual([7, 7, 7]);
  await expect(reconstruct(truncation, rows, columns, memory)).rejects.toThrow(RangeError);
});

test('the matrix of zeros, whose Gram matrix has no direction, becomes zero factors with orthonormal rows', async () => {
  const truncation = await truncate(new Float32Array(12), 4, 3, 2);
  expect(truncation.left.every((element) => element === 0)).toBe(true);
  expect(departureFromOrthonormal(truncation.basis, 2, 3)).toBe(0);
  expect([...truncation.singularValues]).toEqual([0, 0]);
  const wide = await truncate(new Float32Array(12), 3, 4, 2);
  expect(wide.right.every((element) => element === 0)).toBe(true);
  expect(wide.left.length).toBe(6);
});

test('a matrix of one element is its own truncation', async () => {
  const { left, right, singularValues } = await truncate(Float32Array.of(-3), 1, 1, 1);
  expect(left[0] * right[0]).toBeCloseTo(-3, 5);
  expect(singularValues[0]).toBeCloseTo(3, 6);
});

test.each([
  ['orthogonal', 1],
  ['with a third of its rows zero', 0],
])('equal singular values: a permutation matrix, %s, loses exactly what is cut', async (_, keep) => {
  const [rows, columns, rank] = [90, 120, 40];
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) data[row * columns + ((row * 7) % 90)] = row % 3 === 0 ? keep : 1;
  const ones = keep === 1 ? 90 : 60;
  const truncation = await truncate(data, rows, columns, rank);
  expect(distance(data, truncation, rows, columns) / Math.sqrt(ones - rank)).toBeCloseTo(1, 6);
  expect(departureFromOrthonormal(truncation.basis, rank, Math.min(rows, columns))).toBeLessThan(ORTHONORMAL);
});

test('elements near the ends of float32 neither over- nor underflow', async () => {
  const { data, rows, columns } = referenceMatrix('slow wide');
  const plain = await truncate(data, rows, columns, 10);
  for (const scale of [2 ** 100, 2 ** -100]) {
    const scaled = await truncate(
      data.map((element) => element * scale),
      rows,
      columns,
      10,
    );
    const target = new Float32Array(data.length);
    await reconstruct(scaled, rows, columns, target);
    // A_r itself scales, to the rounding of ||A_r||_F = 4.
    const product = target.map((element) => element / scale);
    expect(distance(product, plain, rows, columns)).toBeLessThan(1e-5);
    scaled.singularValues.forEach((value, i) => {
      expect(value / scale / plain.singularValues[i]).toBeCloseTo(1, 6);
    });
  }
});

test('truncations that run at the same time do not disturb one another, and are reproducible', async () => {
  const matrices = ['slow wide', 'slow tall', 'trained'].map(referenceMatrix);
  const all = () => matrices.map(({ data, rows, columns }) => truncate(data, rows, columns, 15));
  const together = await Promise.all(all());
  for (const [i, { data, rows, columns }] of matrices.entries()) {
    expect(await truncate(data, rows, columns, 15)).toEqual(together[i]);
  }
});

test('a wrong shape or rank and an element that is not finite are named', async () => {
  await expect(truncate(new Float32Array(6), 2, 3, 0)).rejects.toThrow('A rank is a whole number from 1, not 0.');
  await expect(truncate(new Float32Array(6), 2, 3, 1.5)).rejects.toThrow(RangeError);
  await expect(truncate(new Float32Array(5), 2, 3, 1)).rejects.toThrow('A [2, 3] matrix has 6 elements, not 5.');
  await expect(truncate(Float32Array.of(1, 2, 3, 4, -Infinity, 6), 2, 3, 1)).rejects.toThrow(
    'The matrix is not finite: row 1, column 1 is -Infinity.',
  );
});
