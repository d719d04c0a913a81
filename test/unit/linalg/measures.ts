/** @file What the tests of linear algebra measure, in float64. */

/** Largest element of |Q Q' - I|. */
export function departureFromOrthonormal(data: Float32Array, rows: number, columns: number): number {
  let largest = 0;
  for (let row = 0; row < rows; row++) {
    for (let other = 0; other <= row; other++) {
      let dot = 0;
      for (let i = 0; i < columns; i++) dot += data[row * columns + i] * data[other * columns + i];
      largest = Math.max(largest, Math.abs(dot - (row === other ? 1 : 0)));
    }
  }
  return largest;
}

/** ||A - left right||_F, summed in float64 from the float32 factors. */
export function distance(
  a: Float32Array,
  { left, right }: { left: Float32Array; right: Float32Array },
  rows: number,
  columns: number,
): number {
  const rank = left.length / rows;
  const residual = Float64Array.from(a);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < rank; k++) {
      const factor = left[row * rank + k];
      for (let column = 0; column < columns; column++) {
        residual[row * columns + column] -= factor * right[k * columns + column];
      }
    }
  }
  return Math.sqrt(residual.reduce((sum, element) => sum + element * element, 0));
}

/** Root of the sum of squares from element `from` on: of singular values, the error of the best approximation of rank `from`. */
export function tailNorm(values: ArrayLike<number>, from: number): number {
  let squares = 0;
  for (let i = from; i < values.length; i++) squares += values[i] ** 2;
  return Math.sqrt(squares);
}
