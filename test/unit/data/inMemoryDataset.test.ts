import { expect, test } from 'vitest';
import { inMemoryDataset, type Table } from '../../../server/data/inMemoryDataset.ts';

test('labels are counted by class, and one that is none, however large, is left out', () => {
  const labels = [0, 2, 2, 2 ** 31 - 1, -1];
  const table: Table = {
    samples: labels.length,
    inputs: [{ shape: [1], dtype: 'float32', data: new Float32Array(labels.length) }],
    targets: [{ shape: [], dtype: 'int32', data: Int32Array.from(labels) }],
  };
  const { countLabels } = inMemoryDataset({ train: table, test: table }, 'test');
  expect(countLabels?.(4, 0)).toEqual([1, 0, 2, 0]);
});
