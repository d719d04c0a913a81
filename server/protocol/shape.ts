/** @file Shapes of tensors. */

const FLOAT_BYTES = 4;

/** The number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Bytes of a tensor of float32 numbers. */
export function floatBytes(shape: readonly number[]): number {
  return FLOAT_BYTES * elementCount(shape);
}
