/** @file A weight of low rank: a left and a right factor of float32 numbers; weights can share a left factor. */
import { FormatError } from '../formatError.ts';
import { DenseWeight } from './dense.ts';
import {
  allocateDense,
  bytesOf,
  checkBytes,
  floatsOf,
  parseCount,
  parseView,
  viewText,
  type PackedForm,
  type RowView,
  type StoredWeight,
} from './packedWeight.ts';

export class FactorsWeight implements PackedForm {
  readonly form = 'factors';
  readonly shape: readonly number[];
  /** The matrix that the factors make: [rows, outer * inner]. */
  readonly view: RowView;
  readonly rank: number;
  /** [rows, rank] */
  readonly left: Float32Array;
  /** [rank, outer * inner] */
  readonly right: Float32Array;
  /** The weight that has the same left factor and stores it; absent where this one does. */
  readonly leftOf: string | undefined;

  constructor(
    shape: readonly number[],
    { outer, rows, inner }: RowView,
    rank: number,
    { left, right, leftOf }: { left: Float32Array; right: Float32Array; leftOf?: string },
  ) {
    this.shape = shape;
    this.view = { outer, rows, inner };
    this.rank = rank;
    this.left = left;
    this.right = right;
    this.leftOf = leftOf;
  }

  /**
   * @param leftOf gives the left factor that a weight stores
   * @throws FormatError where parameters and bytes do not fit together
   */
  static read({ shape, parameters, bytes }: StoredWeight, leftOf: (weight: string) => PackedForm): FactorsWeight {
    const rank = parseCount(parameters.get('rank'), 'its rank', 1);
    const view = parseView(parameters.get('view'), shape);
    const { outer, rows, inner } = view;
    const [leftBytes, rightBytes] = [rows, outer * inner].map((size) => size * rank * Float32Array.BYTES_PER_ELEMENT);
    const sharedWith = parameters.get('left');
    if (sharedWith === undefined) {
      checkBytes(bytes, leftBytes + rightBytes);
      const left = floatsOf(bytes.subarray(0, leftBytes));
      return new FactorsWeight(shape, view, rank, { left, right: floatsOf(bytes.subarray(leftBytes)) });
    }
    checkBytes(bytes, rightBytes);
    const factor = sharedLeft(leftOf, sharedWith, [rows, rank]);
    const left = factor instanceof DenseWeight ? factor.values : factor.rebuild();
    return new FactorsWeight(shape, view, rank, { left, right: floatsOf(bytes), leftOf: sharedWith });
  }

  get parameters(): Readonly<Record<string, string>> {
    return {
      rank: String(this.rank),
      view: viewText(this.view),
      ...(this.leftOf !== undefined && { left: this.leftOf }),
    };
  }

  get sections(): readonly Uint8Array[] {
    return [...(this.leftOf === undefined ? [bytesOf(this.left)] : []), bytesOf(this.right)];
  }

  rebuild(): Float32Array {
    const dense = allocateDense(this.shape);
    multiplyFactors(this, this.view, dense);
    return dense;
  }
}

/** The left factor of another weight. @throws FormatError where that has another shape */
export function sharedLeft<T extends PackedForm>(
  leftOf: (weight: string) => T,
  weight: string,
  shape: readonly number[],
): T {
  const left = leftOf(weight);
  if (left.shape.join() !== shape.join())
    throw new FormatError(`the left factor of '${weight}' is no [${shape.join(', ')}] matrix`);
  return left;
}

/**
 * Writes the matrix `left * right` to a tensor. Products of float32 numbers are exact in float64; they are added in float64, first column of
 * `left` first, and the sum is rounded once: the same on every machine.
 * @param left [rows, rank]
 * @param right [rank, outer * inner]
 * @param target [outer, rows, inner]
 */
export function multiplyFactors(
  { left, right }: { readonly left: Float32Array; readonly right: Float32Array },
  { outer, rows, inner }: RowView,
  target: Float32Array,
): void {
  const columns = outer * inner;
  const rank = left.length / rows;
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = left[row * rank + k];
      for (let column = 0, at = k * columns; column < columns; column++, at++) sums[column] += factor * right[at];
    }
    for (let o = 0; o < outer; o++) target.set(sums.subarray(o * inner, (o + 1) * inner), (o * rows + row) * inner);
  }
}
