import { expect, test } from 'vitest';
import { orthonormalizeRows } from '../../../server/linalg/orthonormalize.ts';
import { Products } from '../../../server/linalg/products.ts';
import { bellShaped } from '../../fixtures/linalg/matrices.ts';
import { departureFromOrthonormal } from './measures.ts';

const products = new Products(1);

test('nearly parallel rows of very different lengths become orthonormal and keep their span', async () => {
  const random = bellShaped(1);
  const [rows, columns] = [9, 30];
  const base = Float64Array.from({ length: columns }, random);
  const data = Float32Array.from(
    { length: rows * columns },
    (_, i) => 10 ** -Math.floor(i / columns) * (base[i % columns] + 0.01 * random()),
  );
  const result = await orthonormalizeRows({ data, rows, columns }, products);
  expect(departureFromOrthonormal(result.data, rows, columns)).toBeLessThan(1e-6);
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    let projected = 0;
    for (let column = 0; column < columns; column++) squares += data[row * columns + column] ** 2;
    for (let q = 0; q <= row; q++) {
      let cosine = 0;
      for (let column = 0; column < columns; column++) {
        cosine += data[row * columns + column] * result.data[q * columns + column];
      }
      projected += cosine ** 2;
    }
    // Twice float32 rounding of a squared norm.
    expect(Math.abs(projected / squares - 1)).toBeLessThan(1e-6);
  }
});

test('zero and repeated rows give way to other directions, also when the rows fill the space', async () => {
  const random = bellShaped(2);
  const data = Float32Array.from({ length: 64 }, random);
  data.fill(0, 8, 16);
  data.copyWithin(24, 0, 8);
  data.copyWithin(56, 0, 8);
  const result = await orthonormalizeRows({ data, rows: 8, columns: 8 }, products);
  expect(departureFromOrthonormal(result.data, 8, 8)).toBeLessThan(1e-6);
});
