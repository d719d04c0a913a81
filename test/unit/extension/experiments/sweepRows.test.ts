import { describe, expect, test } from 'vitest';
import { rowsInOrder, variedNames } from '../../../../extension/experiments/sweepRows.ts';
import type { SweptRunRow } from '../../../../server/protocol/wire/sweep.ts';

const row = (line: number, vary: readonly string[], test?: number | null): SweptRunRow => ({
  ...{ line, id: `s.${line}`, key: `/runs/s.${line}`, vary, seed: line },
  state: test === undefined ? 'running' : 'finished',
  ...(test !== undefined && {
    result: { metric: 'accuracy', test, bytes: 100, bytesKept: 10 * line, byteRatio: 10 / line },
  }),
});

describe('the runs of a sweep in the tree', () => {
  test('are named by what varies', () => {
    const rows = [row(1, ['compression.layers.fc1.rate=0.95', 'training.seed=2']), row(2, ['model=builtin:lenet-5'])];
    expect([...variedNames(rows).values()]).toEqual(['rate 0.95, seed 2', 'model builtin:lenet-5']);
    expect([...variedNames([row(1, [])]).values()]).toEqual(['s.1']);
  });

  test('stand in the order of the plan, or the best first, those without a result last', () => {
    const rows = [row(1, []), row(2, [], 0.9), row(3, [], null), row(4, [], 0.95)];
    expect(rowsInOrder(rows, 'newest').map(({ line }) => line)).toEqual([1, 2, 3, 4]);
    expect(rowsInOrder(rows, 'metric').map(({ line }) => line)).toEqual([4, 2, 1, 3]);
    expect(rowsInOrder(rows, 'ratio').map(({ line }) => line)).toEqual([2, 3, 4, 1]);
  });
});
