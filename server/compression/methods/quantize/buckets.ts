/** @file The parts of a weight that are scaled alike: buckets (Polino et al. 2018, section 2.3), the rows of its matrix, or all of it. */
import type { RowView } from '../../../formats/packed/packedWeight.ts';
import { gatherRows, scatterRows, type MatrixView } from '../../targets/matrixView.ts';

/** How many numbers have a scale of their own: so many that follow one another in the tensor, a row of the matrix, or all. */
export type BucketSize = number | 'row' | 'tensor';

/** How the numbers of a weight are cut into buckets. */
export interface Buckets {
  /** The matrix in whose order the buckets follow one another; one row where that is the order of the tensor. */
  readonly view: RowView;
  /** Numbers of a bucket; the last may have fewer. */
  readonly length: number;
}

/** A tensor that has fewer numbers than a bucket is one bucket. */
export function bucketsOf(size: BucketSize, view: MatrixView): Buckets {
  const { outer, rows, inner, columns } = view;
  if (size === 'row') return { view: { outer, rows, inner }, length: columns };
  const count = rows * columns;
  return { view: { outer: 1, rows: 1, inner: count }, length: size === 'tensor' ? count : Math.min(size, count) };
}

/** The numbers of a tensor in the order of a matrix: the tensor itself where it has that order, else a copy. */
export function ordered(values: Float32Array, view: RowView): Float32Array {
  if (view.outer === 1) return values;
  const copy = new Float32Array(values.length);
  forEachBlock(view, (matrix, first, count) =>
    gatherRows(values, matrix, first, count, copy.subarray(first * matrix.columns)),
  );
  return copy;
}

/** Calls `change` with the {@link ordered} numbers of a tensor, and puts back what it leaves of them. */
export function inOrder<T>(values: Float32Array, view: RowView, change: (numbers: Float32Array) => T): T {
  const numbers = ordered(values, view);
  const result = change(numbers);
  if (numbers !== values)
    forEachBlock(view, (matrix, first, count) =>
      scatterRows(numbers.subarray(first * matrix.columns), matrix, first, count, values),
    );
  return result;
}

/** Scales and offsets of buckets; absent where numbers are not scaled. */
export interface ScaledBuckets {
  /** Numbers of a bucket; the last may have fewer. */
  readonly bucket: number;
  readonly scales?: Float32Array;
  readonly offsets?: Float32Array;
}

/** A copy of the numbers, each bucket from 0 to 1; a constant one becomes 0. Without scales, as they are. */
export function scaleBuckets(numbers: Float32Array, { bucket, scales, offsets }: ScaledBuckets): Float32Array {
  const copy = numbers.slice();
  if (!scales || !offsets) return copy;
  for (let b = 0; b < scales.length; b++) {
    const factor = scales[b] === 0 ? 0 : 1 / scales[b];
    const end = Math.min((b + 1) * bucket, copy.length);
    for (let i = b * bucket; i < end; i++) copy[i] = (copy[i] - offsets[b]) * factor;
  }
  return copy;
}

/** Rows that are copied together, so that a cache line of a matrix that is stored by columns is read once. */
const ROWS = 16;

function forEachBlock(
  { outer, rows, inner }: RowView,
  copy: (matrix: MatrixView, firstRow: number, count: number) => void,
): void {
  const matrix = { outer, rows, inner, columns: outer * inner };
  for (let first = 0; first < rows; first += ROWS) copy(matrix, first, Math.min(ROWS, rows - first));
}
