/** @file A matrix of low rank: two products, with the left factor and with the right one. */
import type { Matrix } from './matrix.ts';

export class FactorsMatrix implements Matrix {
  readonly inputs: number;
  readonly outputs: number;
  readonly #left: Matrix;
  readonly #right: Matrix;
  readonly #zeros: number;

  /**
   * @param left [inputs, rank]
   * @param right [rank, outputs]
   * @param zeros address of `rank` zeros
   */
  constructor(left: Matrix, right: Matrix, zeros: number) {
    this.inputs = left.inputs;
    this.outputs = right.outputs;
    this.#left = left;
    this.#right = right;
    this.#zeros = zeros;
  }

  scratchBytes(rows: number): number {
    return 4 * rows * this.#left.outputs;
  }

  multiply(x: number, rows: number, bias: number, y: number, scratch: number): void {
    this.#left.multiply(x, rows, this.#zeros, scratch, 0);
    this.#right.multiply(scratch, rows, bias, y, 0);
  }
}
