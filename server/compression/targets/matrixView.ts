/**
 * @file How a weight tensor is read as a matrix with one row per output unit. docs/compression.md shows the view of every
 * kernel of tfjs.
 */
import type { RowView } from '../../formats/packed/packedWeight.ts';
import type { Matrix } from '../../linalg/products.ts';
import { elementCount } from '../../protocol/shape.ts';

/**
 * A tensor of shape [outer, rows, inner] in row-major order, read as the matrix [rows, outer * inner]: a row holds the
 * weights of one output unit.
 */
export interface MatrixView {
  readonly outer: number;
  readonly rows: number;
  readonly inner: number;
  /** Weights of a row: `outer * inner`. */
  readonly columns: number;
  /** How the input channels lie in the columns, where they do not lie side by side: the places of a filter of ONNX do. */
  readonly channels?: { readonly size: number; readonly stride: number } | undefined;
}

/** What tells the axis of the output units of a weight. */
export interface ViewedWeight {
  readonly shape: readonly number[];
  /** As tfjs names it within the layer: `kernel`, `recurrent_kernel`, `embeddings`, `depthwise_kernel`, … */
  readonly weight: string;
  /** tfjs class name of the layer, where it is known; tells the kernel of a transposed convolution. */
  readonly layerClass?: string | undefined;
  /** The axis itself, where the model says which it is: that of an ONNX graph. */
  readonly outputAxis?: number | undefined;
  /** The axis of the input channels of a convolution, where the model says which it is. */
  readonly channelAxis?: number | undefined;
}

/** The view of a weight: by the axis that its model says, else as {@link matrixViewOf}. */
export function viewOfWeight({ shape, weight, layerClass, outputAxis, channelAxis }: ViewedWeight): MatrixView {
  if (outputAxis === undefined) return matrixViewOf(shape, weight, layerClass);
  const view = splitAt(shape, outputAxis, outputAxis + 1);
  if (channelAxis === undefined) return view;
  const stride = elementCount(shape.filter((_, axis) => axis > channelAxis && axis !== outputAxis));
  return stride === 1 ? view : { ...view, channels: { size: shape[channelAxis], stride } };
}

/** The columns of a view in the order of the table: input channels side by side, one place of a filter after another. */
export function columnsByChannel({ columns, channels }: MatrixView): Int32Array {
  const { size, stride } = channels ?? { size: columns, stride: 1 };
  const together = size * stride;
  return Int32Array.from({ length: columns }, (_, at) => {
    const within = at % together;
    return at - within + (within % size) * stride + Math.floor(within / size);
  });
}

/**
 * The view of a weight of TensorFlow.js. The output unit is the last axis, except for: `embeddings` [vocabulary, units], a row is a word;
 * `depthwise_kernel` [height, width, channels, multiplier], a row is an output channel, the last two axes; the kernel of
 * a transposed convolution [height, width, filters, channels], a row is a filter.
 *
 * @param weight name of the weight within its layer, as tfjs gives it
 * @param layerClass tfjs class name of the layer, where it is known
 */
export function matrixViewOf(shape: readonly number[], weight: string, layerClass?: string): MatrixView {
  const last = shape.length - 1;
  if (weight === 'embeddings') return splitAt(shape, 0, 1);
  if (weight === 'depthwise_kernel') return splitAt(shape, last - 1, last + 1);
  if (weight === 'kernel' && layerClass?.endsWith('Transpose')) return splitAt(shape, last - 1, last);
  return splitAt(shape, last, last + 1);
}

/**
 * The matrix whose rank is reduced: the tensor as it is stored, with its output axis as the columns, or as the rows where
 * that comes first. Only a weight that has its output axis in the middle (a transposed convolution) is stored otherwise.
 */
export function storedShape(view: MatrixView): { rows: number; columns: number } {
  const { outer, rows, inner } = storedView(view);
  return { rows, columns: outer * inner };
}

/** How the matrix of {@link storedShape} lies in the tensor. */
export function storedView({ outer, rows, inner }: MatrixView): RowView {
  return inner === 1 ? { outer: 1, rows: outer, inner: rows } : { outer, rows, inner };
}

/** The matrix of {@link storedShape}: a view of the values where they are stored so, else a copy. */
export function storedMatrix(values: Float32Array, view: MatrixView): Matrix {
  const shape = storedShape(view);
  if (view.inner === 1 || view.outer === 1) return { data: values, ...shape };
  const data = new Float32Array(values.length);
  gatherRows(values, view, 0, view.rows, data);
  return { data, ...shape };
}

/** Axes `from` to `to - 1` become the rows. */
function splitAt(shape: readonly number[], from: number, to: number): MatrixView {
  const outer = elementCount(shape.slice(0, from));
  const inner = elementCount(shape.slice(to));
  return { outer, rows: elementCount(shape.slice(from, to)), inner, columns: outer * inner };
}

/** Copies rows `firstRow` to `firstRow + count - 1` into `target`, [count, columns]. */
export function gatherRows(
  values: Float32Array,
  view: MatrixView,
  firstRow: number,
  count: number,
  target: Float32Array,
): void {
  const { outer, rows, inner, columns } = view;
  if (inner === 1) {
    for (let o = 0; o < outer; o++)
      for (let row = 0, from = o * rows + firstRow; row < count; row++) target[row * columns + o] = values[from + row];
    return;
  }
  for (let o = 0; o < outer; o++)
    for (let row = 0; row < count; row++) {
      const from = (o * rows + firstRow + row) * inner;
      const to = row * columns + o * inner;
      for (let i = 0; i < inner; i++) target[to + i] = values[from + i];
    }
}

/** The inverse of {@link gatherRows}. */
export function scatterRows(
  source: Float32Array,
  view: MatrixView,
  firstRow: number,
  count: number,
  values: Float32Array,
): void {
  const { outer, rows, inner, columns } = view;
  if (inner === 1) {
    for (let o = 0; o < outer; o++)
      for (let row = 0, to = o * rows + firstRow; row < count; row++) values[to + row] = source[row * columns + o];
    return;
  }
  for (let o = 0; o < outer; o++)
    for (let row = 0; row < count; row++) {
      const from = row * columns + o * inner;
      const to = (o * rows + firstRow + row) * inner;
      for (let i = 0; i < inner; i++) values[to + i] = source[from + i];
    }
}
