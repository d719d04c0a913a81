/** @file What every function of this folder asks of a matrix. */
import type { Matrix } from './products.ts';

/**
 * Checks the shape and that every element is finite.
 *
 * @returns the Frobenius norm
 * @throws RangeError
 */
export function checkMatrix({ data, rows, columns }: Matrix): number {
  for (const size of [rows, columns]) {
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(`A matrix needs at least one row and column, not [${rows}, ${columns}].`);
  }
  if (data.length !== rows * columns)
    throw new RangeError(`A [${rows}, ${columns}] matrix has ${rows * columns} elements, not ${data.length}.`);
  const squares = squaredNorm(data);
  if (!Number.isFinite(squares)) {
    const at = data.findIndex((element) => !Number.isFinite(element));
    throw new RangeError(
      `The matrix is not finite: row ${Math.floor(at / columns)}, column ${at % columns} is ${data[at]}.`,
    );
  }
  return Math.sqrt(squares);
}

/** Sum of the squares of all elements, in float64. */
export function squaredNorm(values: Float32Array): number {
  // V8 makes this loop faster than one that is unrolled by hand.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
}
