import { expect, test } from 'vitest';
import { tridiagonalEigenvalues, tridiagonalEigenvectors } from '../../../server/linalg/tridiagonal.ts';

/** max |T x - lambda x| over all elements of all vectors. */
function largestResidual(d: Float64Array, e: Float64Array, values: Float64Array, vectors: Float32Array): number {
  const count = values.length;
  let largest = 0;
  for (let j = 0; j < count; j++) {
    const x = (i: number) => (i < 0 || i >= d.length ? 0 : vectors[i * count + j]);
    for (let i = 0; i < d.length; i++) {
      const product = (e[i - 1] ?? 0) * x(i - 1) + d[i] * x(i) + (e[i] ?? 0) * x(i + 1);
      largest = Math.max(largest, Math.abs(product - values[j] * x(i)));
    }
  }
  return largest;
}

test('the eigenvalues of the second difference matrix are 2 - 2 cos(k pi / (n + 1))', () => {
  const n = 50;
  const values = tridiagonalEigenvalues(new Float64Array(n).fill(2), new Float64Array(n - 1).fill(-1));
  // A few rounding errors of ||T|| = 4.
  values.forEach((value, i) => expect(value).toBeCloseTo(2 - 2 * Math.cos(((n - i) * Math.PI) / (n + 1)), 13));
});

test("pairs of eigenvalues equal to rounding, as of Wilkinson's W21+, have independent vectors of rounding-level residual", () => {
  const d = Float64Array.from({ length: 21 }, (_, i) => Math.abs(10 - i));
  const e = new Float64Array(20).fill(1);
  const values = tridiagonalEigenvalues(d, e);
  // Wilkinson 1965, The Algebraic Eigenvalue Problem, 5.45.
  expect(values[0]).toBeCloseTo(10.746194182903393, 12);
  expect(values[1]).toBeCloseTo(10.746194182903322, 12);
  const vectors = tridiagonalEigenvectors(d, e, values);
  // Vectors are float32: 6e-8 of ||T|| = 12.
  expect(largestResidual(d, e, values, vectors)).toBeLessThan(2e-6);
  let cosine = 0;
  for (let i = 0; i < 21; i++) cosine += vectors[i * 21] * vectors[i * 21 + 1];
  expect(Math.abs(cosine)).toBeLessThan(0.999);
});

test('a matrix that is a multiple of the identity, and one of a single element, have eigenvectors', () => {
  for (const n of [1, 6]) {
    const d = new Float64Array(n).fill(3);
    const e = new Float64Array(n - 1);
    const values = tridiagonalEigenvalues(d, e);
    expect([...values]).toEqual([...d]);
    const vectors = tridiagonalEigenvectors(d, e, values);
    expect(vectors.every(Number.isFinite)).toBe(true);
    expect(largestResidual(d, e, values, vectors)).toBeLessThan(1e-12);
  }
});
