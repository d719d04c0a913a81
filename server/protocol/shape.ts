/** @file Shapes of tensors. */

const FLOAT_BYTES = 4;

/** The number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** True for what may be a shape, or offsets: integers that are not negative. */
export function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** Bytes of a tensor of float32 numbers. */
export function floatBytes(shape: readonly number[]): number {
  return FLOAT_BYTES * elementCount(shape);
}

/** `[28, any, 3]` */
export function shapeText(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => size ?? 'any').join(', ')}]`;
}
