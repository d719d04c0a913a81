import { expect, test } from 'vitest';
import { inverseCholesky } from '../../../server/linalg/inverseCholesky.ts';
import { invertCholesky } from '../../../server/linalg/kernels.ts';
import { Products } from '../../../server/linalg/products.ts';
import { bellShaped } from '../../fixtures/linalg/matrices.ts';

/** Gram matrix of random unit rows of length 400; some of them repeat an earlier one. */
function gramOf(size: number, repeats: readonly (readonly [row: number, of: number])[]): Float64Array {
  const length = 400;
  const random = bellShaped(4);
  const rows = Array.from({ length: size }, () => Float64Array.from({ length }, random));
  for (const [row, of] of repeats) rows[row].set(rows[of]);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const units = rows.map((row) => row.map((value) => value / Math.sqrt(dot(row, row))));
  return Float64Array.from({ length: size * size }, (_, i) => dot(units[Math.floor(i / size)], units[i % size]));
}

test.each([[129], [300]])(
  'of %i rows, halves and the kernel find the same inverse, also of dependent rows',
  async (size) => {
    // One repeats a row of its own half, one a row of the other, one comes right behind the middle.
    const gram = gramOf(size, [
      [20, 3],
      [size - 1, 5],
      [Math.ceil(size / 2), 7],
    ]);
    const whole = invertCholesky(gram, size, 1e-8);
    const halves = await inverseCholesky(gram, size, 1e-8, new Products(1));
    let largest = 0;
    for (let i = 0; i < gram.length; i++) largest = Math.max(largest, Math.abs(whole.inverse[i] - halves.inverse[i]));
    // Float64 rounding, times the condition of random rows.
    expect(largest).toBeLessThan(1e-11);
    expect(halves.inverse[20 * size + 20]).toBe(0);
    expect(Math.abs(halves.smallestPivot - whole.smallestPivot)).toBeLessThan(1e-12);
  },
);
