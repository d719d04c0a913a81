import fc from 'fast-check';
import { expect, test } from 'vitest';
import { singularValues } from '../../../server/linalg/singularValues.ts';
import { bellShaped, referenceMatrix, referenceNames } from '../../fixtures/linalg/matrices.ts';
import { jacobiSingularValues } from './jacobi.ts';

test.each(referenceNames)('all singular values of the %s matrix are those of LAPACK', async (name) => {
  const { data, rows, columns, checksum, singularValues: reference } = referenceMatrix(name);
  // The same matrix as in generate.py; only the order of the sum differs.
  expect(data.reduce((sum, element) => sum + Math.abs(element), 0) / checksum).toBeCloseTo(1, 12);
  const values = await singularValues(data, rows, columns);
  expect(values.length).toBe(Math.min(rows, columns));
  values.forEach((value, i) => {
    // The square of a value is right to float64 rounding of the largest square.
    const relative = reference[i] > 1e-5 * reference[0] ? 1e-5 * reference[i] : 1e-7 * reference[0];
    expect(Math.abs(value - reference[i])).toBeLessThan(relative);
  });
});

test('of any shape, also of deficient rank, there are min(rows, columns) values, descending, equal to those by Jacobi rotations', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 1e6 }),
      async (rows, columns, distinctRows, seed) => {
        const random = bellShaped(seed);
        const data = Float32Array.from({ length: rows * columns }, random);
        for (let i = Math.min(distinctRows, rows) * columns; i < data.length; i++) {
          data[i] = data[i % (Math.min(distinctRows, rows) * columns)];
        }
        const values = await singularValues(data, rows, columns);
        const reference = jacobiSingularValues(data, rows, columns);
        expect(values.length).toBe(reference.length);
        values.forEach((value, i) => {
          expect(Math.abs(value - reference[i])).toBeLessThan(Math.max(1e-5 * reference[i], 1e-6 * reference[0]));
          if (i > 0) expect(value).toBeLessThanOrEqual(values[i - 1]);
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('a matrix of zeros has zeros for singular values, and elements near the ends of float32 neither over- nor underflow', async () => {
  expect([...(await singularValues(new Float32Array(6), 2, 3))]).toEqual([0, 0]);
  for (const scale of [2 ** 120, 2 ** -120]) {
    const [first, second] = await singularValues(Float32Array.of(3 * scale, 0, 0, 4 * scale), 2, 2);
    expect(first / scale).toBeCloseTo(4, 12);
    expect(second / scale).toBeCloseTo(3, 12);
  }
});

test('a wrong shape and an element that is not finite are named', async () => {
  await expect(singularValues(new Float32Array(5), 2, 3)).rejects.toThrow('A [2, 3] matrix has 6 elements, not 5.');
  await expect(singularValues(new Float32Array(0), 0, 3)).rejects.toThrow(RangeError);
  await expect(singularValues(Float32Array.of(1, 2, 3, NaN, 5, 6), 2, 3)).rejects.toThrow(
    'The matrix is not finite: row 1, column 0 is NaN.',
  );
});
