/** @file Arrays whose elements do not lie in row-major order: transposed, column-major, or a part of a larger one. */

/** The part of a typed array that is needed here: of every kind of numbers. */
interface Elements<N> {
  readonly length: number;
  [index: number]: N;
}

/**
 * Puts elements into row-major order.
 * @param stored the first element, and all that the strides lead to
 * @param strides in elements, for each axis of `shape`
 * @param result gets the elements, one for each of `shape`
 */
export function toRowMajor<N extends number | bigint, T extends Elements<N>>(
  stored: Elements<N>,
  shape: readonly number[],
  strides: readonly number[],
  result: T,
): T {
  const position = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = stored[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++position[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      position[axis] = 0;
    }
  }
  return result;
}

/** Strides of a tensor in row-major order, in elements. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/** Strides of a tensor whose first index changes fastest, in elements. */
export function columnMajorStrides(shape: readonly number[]): number[] {
  return rowMajorStrides(shape.toReversed()).toReversed();
}

/**
 * Transposes a tensor.
 * @param shape of `values`, row-major
 * @param axes for each axis of the result the axis of `values`
 */
export function permute<T extends Float32Array | Int32Array>(
  values: T,
  shape: readonly number[],
  axes: readonly number[],
): T {
  const strides = rowMajorStrides(shape);
  return toRowMajor<number, T>(
    values,
    axes.map((axis) => shape[axis]),
    axes.map((axis) => strides[axis]),
    values.slice() as T,
  );
}
