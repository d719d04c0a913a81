/** @file Indices of tensors. */

/** The indices of all numbers of a tensor, in row-major order. */
export function indicesOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (indices, extent) => indices.flatMap((index) => Array.from({ length: extent }, (_, last) => [...index, last])),
    [[]],
  );
}
