import { expect, test } from 'vitest';
import { expectedSparseSize, sparseSize } from '../../../../../server/compression/methods/prune/size.ts';
import { prunedCount } from '../../../../../server/compression/methods/prune/rate.ts';
import { uniform } from '../../random.ts';

test('a sparse weight takes 32 bits a non-zero weight and its index, and never more than the dense weight', () => {
  const values = new Float32Array(1000);
  for (let i = 0; i < 1000; i += 100) values[i] = 1;
  // Gaps of 0, 99, 99, … zeros: 10 codes of 7 bits; Rice codes of 6 bits take 9 * 8 + 7.
  expect(sparseSize(values)).toEqual({ weightsKept: 10, bits: 10 * 32 + 10 * 7 });
  expect(sparseSize(new Float32Array(100).fill(1)).bits).toBe(3200);
});

test.each([0.5, 0.9, 0.98, 0.999])('the expected size at a rate of %f is that of zeros at random places', (rate) => {
  const size = 200_000;
  const random = uniform(7);
  const values = new Float32Array(size).fill(1);
  for (let zeros = Math.floor(rate * size); zeros > 0;) {
    const at = Math.floor(random() * size);
    if (values[at] === 0) continue;
    values[at] = 0;
    zeros--;
  }
  const { weightsKept, bits } = sparseSize(values);
  const expected = expectedSparseSize(size, prunedCount(rate, size));
  expect(expected.weightsKept).toBe(weightsKept);
  // The count of gap codes varies by about the root of the number of weights that are kept, 200 at the highest rate.
  expect(Math.abs(expected.bits / bits - 1)).toBeLessThan(0.02);
});
