import { describe, expect, test } from 'vitest';
import { keepNOfM } from '../../../../../server/compression/methods/prune/select/nOfM.ts';
import {
  blocksOf,
  entriesOf,
  keepGroups,
  scoreGroups,
  unitsOf,
} from '../../../../../server/compression/methods/prune/select/groups.ts';
import { matrixViewOf } from '../../../../../server/compression/targets/matrixView.ts';
import { expectedSparseSize, runOfZeros, sparseSize } from '../../../../../server/compression/methods/prune/size.ts';
import { prunedCount } from '../../../../../server/compression/methods/prune/rate.ts';
import { normals, uniform } from '../../random.ts';

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

const views = {
  'a dense kernel': matrixViewOf([400, 300], 'kernel'),
  'an embedding': matrixViewOf([400, 300], 'embeddings'),
  'a transposed convolution': matrixViewOf([3, 3, 120, 96], 'kernel', 'Conv2DTranspose'),
};

describe.each(Object.entries(views))('of %s', (_, view) => {
  const count = view.rows * view.columns;
  const scores = normals(count, 3).map(Math.abs);
  const expectNear = (marks: Uint8Array, parameters: { pattern: string; block?: [number, number] }) => {
    const { weightsKept, bits } = sparseSize(Float32Array.from(marks));
    const expected = expectedSparseSize(count, count - weightsKept, runOfZeros(view, parameters));
    expect(expected.weightsKept).toBe(weightsKept);
    // The index alone is compared. In each input of a unit the gaps are the same few, which a Huffman code makes use of.
    const index = (all: number) => all - 32 * weightsKept;
    expect(Math.abs(index(expected.bits) / index(bits) - 1)).toBeLessThan(parameters.pattern === 'unit' ? 0.2 : 0.08);
  };

  test.each([[[4, 4]], [[8, 2]], [[1, 16]]] as [number, number][][])('blocks of %j', (block) => {
    const partition = blocksOf(view, block, 0);
    const kept = keepGroups(scoreGroups([scores], [partition], 'root mean square'), Math.floor(0.9 * count));
    expectNear(entriesOf(partition, kept), { pattern: 'block', block });
  });

  test('units', () => {
    const partition = unitsOf(view, 1, 0);
    const kept = keepGroups(scoreGroups([scores], [partition], 'root mean square'), Math.floor(0.8 * count));
    expectNear(entriesOf(partition, kept), { pattern: 'unit' });
  });

  test('2:4', () => expectNear(keepNOfM(scores, view, { kept: 2, of: 4 }), { pattern: '2:4' }));
});
