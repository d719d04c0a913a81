import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  blocksOf,
  entriesOf,
  keepGroups,
  scoreGroups,
  unitsOf,
  type GroupScore,
  type Partition,
} from '../../../../../../server/compression/methods/prune/select/groups.ts';
import { matrixViewOf, type MatrixView } from '../../../../../../server/compression/targets/matrixView.ts';
import { normals } from '../../../random.ts';

const dense = matrixViewOf([7, 5], 'kernel');
const views = [
  dense,
  matrixViewOf([3, 2, 3, 4], 'kernel'),
  matrixViewOf([3, 2, 4, 3], 'kernel', 'Conv2DTranspose'),
  matrixViewOf([6, 7], 'embeddings'),
];
const sizeOf = ({ rows, columns }: MatrixView) => rows * columns;

/** Index in the tensor. */
const indexOf = ({ rows, inner }: MatrixView, row: number, column: number) =>
  (Math.floor(column / inner) * rows + row) * inner + (column % inner);

/** The reference: the entries of each group by a walk over the matrix, then one group after the other while it fits. */
function keptByHand(
  scores: Float32Array,
  view: MatrixView,
  groupOf: (row: number, column: number) => string,
  budget: number,
  score: GroupScore,
): number[] {
  const members = new Map<string, number[]>();
  for (let row = 0; row < view.rows; row++)
    for (let column = 0; column < view.columns; column++) {
      const group = groupOf(row, column);
      members.set(group, [...(members.get(group) ?? []), indexOf(view, row, column)]);
    }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const scored = [...members.values()].map((entries) => ({
    entries,
    score:
      score === 'mean'
        ? mean(entries.map((i) => scores[i]))
        : Math.sqrt(mean(entries.map((i) => scores[i] * scores[i]))),
  }));
  const kept = Array.from(scores, () => 1);
  let left = budget;
  for (const { entries } of scored.sort((a, b) => a.score - b.score)) {
    if (entries.length > left) break;
    left -= entries.length;
    for (const i of entries) kept[i] = 0;
  }
  return kept;
}

function kept(scores: Float32Array, partition: Partition, budget: number, score: GroupScore): number[] {
  return [...entriesOf(partition, keepGroups(scoreGroups([scores], [partition], score), budget))];
}

describe.each(['root mean square', 'mean'] as const)('by %s', (score) => {
  test.each([[[2, 2]], [[4, 1]], [[1, 4]], [[3, 5]], [[100, 100]]] as const)(
    'blocks of %j are those of the matrix view, smaller ones at its edges',
    ([height, width]) => {
      for (const [seed, view] of views.entries()) {
        const scores = normals(sizeOf(view), seed);
        const block = (row: number, column: number) => `${Math.floor(row / height)} ${Math.floor(column / width)}`;
        for (const budget of [0, 1, 9, 17, sizeOf(view)])
          expect(kept(scores, blocksOf(view, [height, width], 0), budget, score)).toEqual(
            keptByHand(scores, view, block, budget, score),
          );
      }
    },
  );

  test('units are the rows of the matrix view', () => {
    for (const [seed, view] of views.entries()) {
      const scores = normals(sizeOf(view), 10 + seed);
      for (const budget of [0, view.columns - 1, view.columns, 2 * view.columns + 1])
        expect(kept(scores, unitsOf(view, 1, 0), budget, score)).toEqual(
          keptByHand(scores, view, String, budget, score),
        );
    }
  });
});

test('units of a recurrent layer are a row of each gate, the same in both kernels', () => {
  const kernel = matrixViewOf([3, 4 * 5], 'kernel');
  const recurrent = matrixViewOf([5, 4 * 5], 'recurrent_kernel');
  const partitions = [unitsOf(kernel, 4, 0), unitsOf(recurrent, 4, 0)];
  const scores = [normals(60, 1), normals(100, 2)];
  // Unit 3 is the least in both together, though not in the first.
  for (let gate = 0; gate < 4; gate++)
    for (let row = 0; row < 5; row++) scores[1][row * 20 + gate * 5 + 3] = row === 0 && gate === 0 ? 0.01 : 0;
  const groups = keepGroups(scoreGroups(scores, partitions, 'root mean square'), 32, []);
  expect([...groups]).toEqual([1, 1, 1, 0, 1]);
  for (const [i, partition] of partitions.entries()) {
    const marks = entriesOf(partition, groups);
    const columns = [...marks.keys()].filter((index) => marks[index] === 0).map((index) => index % 20);
    expect([...new Set(columns)]).toEqual([3, 8, 13, 18]);
    expect(columns).toHaveLength(4 * (i === 0 ? 3 : 5));
  }
});

test('a second choice by the weights that the first has left is the same', () => {
  const values = fc.array(fc.constantFrom(0, 0.5, -0.5, 1, -1, 2), { minLength: 35, maxLength: 35 });
  fc.assert(
    fc.property(
      values,
      fc.integer({ min: 0, max: 35 }),
      fc.constantFrom([2, 2], [3, 2], [1, 7]),
      (entries, budget, block) => {
        const partition = blocksOf(dense, [block[0], block[1]], 0);
        const choose = (weights: number[]) =>
          kept(Float32Array.from(weights, Math.abs), partition, budget, 'root mean square');
        const first = choose(entries);
        expect(first.filter((mark) => mark === 0).length).toBeLessThanOrEqual(budget);
        expect(choose(entries.map((value, i) => value * first[i]))).toEqual(first);
      },
    ),
  );
});

test('the best group of a range stays, and the next goes in its place', () => {
  const scores = Float64Array.of(1, 2, 3, 10, 11);
  const sizes = Int32Array.of(4, 4, 4, 4, 4);
  const floors = [
    { from: 0, to: 3 },
    { from: 3, to: 5 },
  ];
  expect([...keepGroups({ scores, sizes }, 12, floors)]).toEqual([0, 0, 1, 0, 1]);
  expect([...keepGroups({ scores, sizes }, 20, floors)]).toEqual([0, 0, 1, 0, 1]);
});

test('a group without a finite score is the greatest', () => {
  const selection = { scores: Float64Array.of(NaN, 5, 3), sizes: Int32Array.of(1, 1, 1) };
  expect([...keepGroups(selection, 2)]).toEqual([1, 0, 0]);
});
