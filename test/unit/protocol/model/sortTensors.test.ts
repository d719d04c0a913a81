import { expect, test } from 'vitest';
import { sortTensors, type Tensor, type TensorStatistics } from '../../../../server/protocol/model/tensor.ts';

function known(name: string, shape: number[], statistics?: Partial<TensorStatistics>) {
  const elements = shape.reduce((product, size) => product * size, 1);
  const tensor: Tensor = { name, shape, dtype: 'float32', elements, bytes: 4 * elements };
  return { tensor, ...(statistics && { statistics: { zeros: 0, notFinite: 0, ...statistics } }) };
}

const tensors = [
  known('layer10', [3, 2], { zeros: 3, mean: -1 }),
  known('layer9', [12], { zeros: 4, mean: 2 }),
  known('none', [0], { zeros: 0 }),
  known('unread', [2, 8]),
];
const sorted = (...order: [Parameters<typeof sortTensors>[1], boolean]) =>
  sortTensors(tensors, ...order).map(({ tensor }) => tensor.name);

test('names are in the order of the numbers in them', () => {
  expect(sorted('name', false)).toEqual(['layer9', 'layer10', 'none', 'unread']);
  expect(sorted('name', true)).toEqual(['unread', 'none', 'layer10', 'layer9']);
});

test('shapes are in the order of their axes, then of their sizes', () => {
  expect(sorted('shape', false)).toEqual(['none', 'layer9', 'unread', 'layer10']);
});

test('zeros are compared by their share; what is not known comes last in either direction', () => {
  expect(sorted('zeros', true)).toEqual(['layer10', 'layer9', 'none', 'unread']);
  expect(sorted('zeros', false)).toEqual(['layer9', 'layer10', 'none', 'unread']);
  expect(sorted('mean', true)).toEqual(['layer9', 'layer10', 'none', 'unread']);
});
