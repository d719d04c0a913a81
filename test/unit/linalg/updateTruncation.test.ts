import { expect, test } from 'vitest';
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

test('a matrix that has nothing to do with the basis, and no gap at the rank, is given up', async () => {
  const { data, rows, columns } = referenceMatrix('gaussian');
  const random = bellShaped(9);
  const other = Float32Array.from({ length: data.length }, random);
  const { basis } = await truncate(other, rows, columns, 32);
  expect(await updateTruncation(data, rows, columns, basis)).toBeUndefined();
});

test('zeros are given up, what is not finite or does not fit is refused', async () => {
  const basis = Float32Array.of(1, 0);
  expect(await updateTruncation(new Float32Array(6), 2, 3, basis)).toBeUndefined();
  await expect(updateTruncation(Float32Array.of(1, 2, 3, 4, 5, NaN), 2, 3, basis)).rejects.toThrow('row 1, column 2');
  await expect(updateTruncation(new Float32Array(6), 2, 3, new Float32Array(3))).rejects.toThrow('does not fit');
});
