/** @file A weight as the matrix of a product, in the form in which its file has it. */

export interface Matrix {
  readonly inputs: number;
  readonly outputs: number;
  /** Bytes of scratch memory that {@link multiply} needs for so many rows. */
  scratchBytes(rows: number): number;
  /**
   * Y = bias + X W.
   * @param x address of X [rows, inputs]
   * @param bias address of [outputs]; with one row it may be `y`, which is added to then
   * @param y address of Y [rows, outputs]
   * @param scratch address of {@link scratchBytes}
   */
  multiply(x: number, rows: number, bias: number, y: number, scratch: number): void;
}

/** The columns of a weight [inputs, columns] that make the matrix: a recurrent kernel has those of several gates. */
export interface Columns {
  readonly from: number;
  readonly to: number;
  /** Columns of the whole weight. */
  readonly of: number;
}
