/** @file Rows of an embedding's gradient that belong to the same row of the weight. */
import type { RowGradient } from '../memory/rowGradient.ts';
import type { OptimizerKernels } from './kernels.ts';

/** Sums the rows of a gradient that have the same index. */
export class RowMerger {
  readonly #gradient: RowGradient;
  readonly #width: number;
  /** Per row of the parameter: 1 + the position where it occurs first in the gradient. All 0 between two merges. */
  readonly #first: Int32Array;
  readonly #kernels: OptimizerKernels;

  /**
   * @param rows number of rows of the parameter
   * @param kernels of the arena of the gradient
   */
  constructor(gradient: RowGradient, rows: number, kernels: OptimizerKernels) {
    this.#gradient = gradient;
    this.#width = gradient.values.length / gradient.indices.length;
    this.#first = new Int32Array(rows);
    this.#kernels = kernels;
  }

  /**
   * Moves the values of every row into the first one of the same index, in place. What becomes free is zero, so that
   * indices and values still stand for the same gradient; merging again changes nothing.
   *
   * @throws RangeError if an index is not a row of the parameter; nothing is changed
   */
  merge(): void {
    const { indices, values } = this.#gradient;
    const first = this.#first;
    for (const row of indices)
      if (row < 0 || row >= first.length)
        throw new RangeError(`A gradient has the row ${row}; the parameter has ${first.length} rows.`);
    for (let i = 0; i < indices.length; i++) {
      const row = indices[i];
      if (first[row] === 0) first[row] = i + 1;
      else this.#kernels.moveRow(values.byteOffset, this.#width, first[row] - 1, i);
    }
    for (const row of indices) first[row] = 0;
  }
}
