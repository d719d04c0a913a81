import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keepNOfM, zerosOfNOfM } from '../../../../../../server/compression/methods/prune/select/nOfM.ts';
import { gatherRows, matrixViewOf, type MatrixView } from '../../../../../../server/compression/targets/matrixView.ts';
import { normals } from '../../../random.ts';

/** The reference: the rows one by one, each group sorted, the later first among equals. */
function keptBySorting(scores: Float32Array, view: MatrixView, kept: number, of: number): Float32Array[] {
  return rowsOf(scores, view).map((row) => {
    const marks = new Float32Array(row.length);
    for (let from = 0; from < row.length; from += of) {
      const columns = [...row.keys()].slice(from, from + of).sort((a, b) => row[b] - row[a] || b - a);
      for (const column of columns.slice(0, kept)) marks[column] = 1;
    }
    return marks;
  });
}

function rowsOf(values: Float32Array, view: MatrixView): Float32Array[] {
  return Array.from({ length: view.rows }, (_, row) => {
    const target = new Float32Array(view.columns);
    gatherRows(values, view, row, 1, target);
    return target;
  });
}

const views = {
  'a dense kernel': matrixViewOf([9, 5], 'kernel'),
  'a convolution': matrixViewOf([3, 2, 3, 4], 'kernel'),
  'a transposed convolution': matrixViewOf([3, 2, 4, 3], 'kernel', 'Conv2DTranspose'),
  'an embedding': matrixViewOf([6, 7], 'embeddings'),
  'a depthwise convolution': matrixViewOf([3, 3, 4, 2], 'depthwise_kernel'),
};

test.each(Object.entries(views))('%s keeps the greatest of each group along the inputs of an output', (_, view) => {
  const scores = normals(view.rows * view.columns, 5);
  for (const [kept, of] of [
    [2, 4],
    [1, 4],
    [1, 3],
    [3, 8],
  ]) {
    const marks = keepNOfM(scores, view, { kept, of });
    expect(rowsOf(Float32Array.from(marks), view)).toEqual(keptBySorting(scores, view, kept, of));
  }
});

test('ties stay where they come last, whatever the values and the pattern', () => {
  const scores = fc.array(fc.constantFrom(0, 0.5, 1), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(scores, fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 8 }), (values, of, n) => {
      const kept = Math.min(n, of - 1);
      const view = matrixViewOf([values.length, 1], 'kernel');
      const marks = keepNOfM(Float32Array.from(values), view, { kept, of });
      expect([Float32Array.from(marks)]).toEqual(keptBySorting(Float32Array.from(values), view, kept, of));
      expect(marks.filter((mark) => mark === 0)).toHaveLength(zerosOfNOfM(view, { kept, of }));
    }),
  );
});

describe('a last group that is shorter', () => {
  test.each([
    [4, [0, 0, 1, 1]],
    [5, [0, 0, 1, 1, 1]],
    [6, [0, 0, 1, 1, 1, 1]],
    [7, [0, 0, 1, 1, 0, 1, 1]],
  ])('of %i weights keeps at most as many', (columns, marks) => {
    const view = matrixViewOf([columns, 1], 'kernel');
    const ascending = Float32Array.from({ length: columns }, (_, i) => i);
    expect([...keepNOfM(ascending, view, { kept: 2, of: 4 })]).toEqual(marks);
  });
});

test('a NaN stays', () => {
  const view = matrixViewOf([4, 1], 'kernel');
  expect([...keepNOfM(Float32Array.of(NaN, 3, 2, 1), view, { kept: 1, of: 4 })]).toEqual([1, 0, 0, 0]);
});
