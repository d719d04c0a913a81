/** @file A pruned weight: its non-zero float32 numbers, then the index that says where they stand. */
import { elementCount } from '../../protocol/shape.ts';
import { FormatError } from '../formatError.ts';
import { DenseWeight } from './dense.ts';
import { allocateDense, bytesOf, floatsOf, parseCount, type PackedForm, type StoredWeight } from './packedWeight.ts';
import { indexText, parseIndex, readIndex, smallestIndex, writeIndex, type SparseIndex } from './sparseIndex.ts';

export class SparseWeight implements PackedForm {
  readonly form = 'sparse';
  readonly shape: readonly number[];
  /** The non-zero numbers, in the order of the tensor. */
  readonly values: Float32Array;
  readonly index: SparseIndex;
  readonly #indexBytes: Uint8Array;

  private constructor(shape: readonly number[], values: Float32Array, index: SparseIndex, indexBytes: Uint8Array) {
    this.shape = shape;
    this.values = values;
    this.index = index;
    this.#indexBytes = indexBytes;
  }

  /** Packs the numbers that are not zero; a zero loses its sign. A weight that would be larger than dense stays dense. */
  static of(shape: readonly number[], dense: Float32Array): SparseWeight | DenseWeight {
    writing: {
      const { index, bits, nonZeros } = smallestIndex(dense);
      const { BYTES_PER_ELEMENT } = Float32Array;
      if (8 * BYTES_PER_ELEMENT * nonZeros + bits >= 8 * dense.byteLength) return new DenseWeight(shape, dense);
      const values = dense.filter((value) => value !== 0);
      return new SparseWeight(shape, values, index, writeIndex(dense, index, bits));
    }
  }

  /** @throws FormatError where parameters and bytes do not fit together */
  static read({ shape, parameters, bytes }: StoredWeight): SparseWeight {
    const count = parseCount(parameters.get('values'), 'how many numbers are not zero');
    const index = parseIndex(parameters.get('index'));
    const valueBytes = count * Float32Array.BYTES_PER_ELEMENT;
    if (valueBytes > bytes.length)
      throw new FormatError(`its ${count} numbers need more than its ${bytes.length} bytes`);
    const weight = new SparseWeight(shape, floatsOf(bytes.subarray(0, valueBytes)), index, bytes.subarray(valueBytes));
    weight.forEachPosition(() => undefined);
    return weight;
  }

  get parameters(): Readonly<Record<string, string>> {
    return { values: String(this.values.length), index: indexText(this.index) };
  }

  get sections(): readonly Uint8Array[] {
    return [bytesOf(this.values), this.#indexBytes];
  }

  /** Calls `visit` with where each of {@link values} stands in the tensor, ascending. */
  forEachPosition(visit: (position: number, ordinal: number) => void): void {
    readIndex(this.#indexBytes, this.index, { count: this.values.length, length: elementCount(this.shape) }, visit);
  }

  rebuild(): Float32Array {
    const dense = allocateDense(this.shape);
    this.forEachPosition((position, i) => (dense[position] = this.values[i]));
    return dense;
  }
}
