/** @file Where the numbers of a sparse tensor of ONNX stand (SparseTensorProto of onnx.proto). */
import { elementCount } from '../protocol/shape.ts';
import { FormatError } from './formatError.ts';
import { rowMajorStrides } from './strided.ts';

/** Numbers that a sparse tensor has at most once its zeros are filled in: a few bytes can ask for any number of them. */
export const MOST_FILLED = 2 ** 29;

/**
 * The place of each number in the whole tensor, row by row.
 * @param indices one place for each number, or its index on each axis, [count, rank]
 * @throws FormatError where they are not of `count` numbers, leave the tensor, or do not ascend as the format wants it
 */
export function sparsePlaces(indices: Float64Array, count: number, shape: readonly number[]): Float64Array {
  const isFlat = indices.length === count;
  const [strides, sizes] = isFlat ? [[1], [elementCount(shape)]] : [rowMajorStrides(shape), shape];
  if (indices.length !== count * strides.length)
    throw new FormatError(`it has ${indices.length} indices for ${count} numbers in [${shape.join(', ')}]`);
  const places = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    for (const [axis, stride] of strides.entries()) {
      const index = indices[i * strides.length + axis];
      if (!(index >= 0 && index < sizes[axis]))
        throw new FormatError(`it has a number at ${index} of ${sizes[axis]}, outside of it`);
      places[i] += index * stride;
    }
    if (i > 0 && places[i] <= places[i - 1]) throw new FormatError('its indices do not ascend');
  }
  return places;
}
