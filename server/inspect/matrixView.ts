/** @file How a tensor of a file is read as a matrix, where nothing but its name tells of the model. */
import { matrixViewOf } from '../compression/targets/matrixView.ts';
import type { RowView } from '../formats/packed/packedWeight.ts';
import { elementCount } from '../protocol/shape.ts';

/**
 * A row holds the weights of an output unit: the last axis of a weight of TensorFlow.js and Keras, whose names have a slash
 * (`conv1/kernel`), and the first axis of PyTorch's (`conv1.weight`). Undefined for a tensor with less than two axes, or without numbers.
 * @param columnMajor true where the first index of the stored numbers changes fastest
 */
export function matrixViewOfTensor(
  shape: readonly number[],
  name: string,
  { columnMajor = false } = {},
): RowView | undefined {
  const count = elementCount(shape);
  if (shape.length < 2 || count === 0) return undefined;
  const ofKeras = name.includes('/');
  // In memory, a column-major tensor is the row-major one with its axes in the opposite order.
  if (columnMajor) {
    const rows = ofKeras ? shape[shape.length - 1] : shape[0];
    return ofKeras ? { outer: 1, rows, inner: count / rows } : { outer: count / rows, rows, inner: 1 };
  }
  if (ofKeras) return matrixViewOf(shape, name.slice(name.lastIndexOf('/') + 1));
  return { outer: 1, rows: shape[0], inner: count / shape[0] };
}
