/** @file The gradient of an embedding: only the rows that were looked up. */

/** Row `i` of `values` [n, width] belongs to row `indices[i]` of the parameter; an index may occur more than once. */
export interface RowGradient {
  readonly indices: Int32Array<ArrayBuffer>;
  readonly values: Float32Array<ArrayBuffer>;
}
