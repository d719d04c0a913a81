/**
 * @file A pruned weight whose remaining numbers are a packed weight themselves, and the index that says where they stand. A number that
 * remains can be 0: the index alone tells.
 */
import { elementCount } from '../../protocol/shape.ts';
import { DenseWeight } from './dense.ts';
import { nestedParameters, readNumbers, splitNested, type CodedNumbers } from './nested.ts';
import { allocateDense, parseCount, type PackedForm, type StoredWeight } from './packedWeight.ts';
import { indexText, parseIndex, readIndex, smallestIndex, writeIndex, type SparseIndex } from './sparseIndex.ts';

export class SparseCodedWeight implements PackedForm {
  readonly form = 'sparse-coded';
  readonly shape: readonly number[];
  /** The numbers that remain, of the shape [their count], in the order of the tensor. */
  readonly coded: CodedNumbers;
  readonly index: SparseIndex;
  readonly #indexBytes: Uint8Array;
  #values: Float32Array | undefined;

  private constructor(shape: readonly number[], coded: CodedNumbers, index: SparseIndex, indexBytes: Uint8Array) {
    this.shape = shape;
    this.coded = coded;
    this.index = index;
    this.#indexBytes = indexBytes;
  }

  /**
   * @param kept not 0 where a number remains, in the order of the tensor
   * @param coded as many numbers as remain
   */
  static of(shape: readonly number[], kept: ArrayLike<number>, coded: CodedNumbers): SparseCodedWeight {
    writing: {
      const { index, bits, nonZeros } = smallestIndex(kept);
      const count = elementCount(coded.shape);
      // Other forms need a number at least.
      if (count === 0 && nonZeros === 0) coded = new DenseWeight([0], new Float32Array());
      if (count !== nonZeros) throw new RangeError(`${nonZeros} numbers remain, and ${count} are given.`);
      return new SparseCodedWeight(shape, coded, index, writeIndex(kept, index, bits));
    }
  }

  /** @throws FormatError where parameters and bytes do not fit together */
  static read(stored: StoredWeight): SparseCodedWeight {
    const { shape, parameters } = stored;
    const count = parseCount(parameters.get('values'), 'how many numbers remain');
    const { nested, rest } = splitNested('values', [count], stored);
    const weight = new SparseCodedWeight(shape, readNumbers(nested), parseIndex(parameters.get('index')), rest);
    weight.forEachPosition(() => undefined);
    return weight;
  }

  get parameters(): Readonly<Record<string, string>> {
    return {
      values: String(elementCount(this.coded.shape)),
      index: indexText(this.index),
      ...nestedParameters('values', this.coded),
    };
  }

  get sections(): readonly Uint8Array[] {
    return [...this.coded.sections, this.#indexBytes];
  }

  /** The numbers that remain, as floats: decoded when they are first asked for, and kept. */
  get values(): Float32Array {
    return (this.#values ??= this.coded.rebuild());
  }

  /** Calls `visit` with where each number stands in the tensor, ascending. */
  forEachPosition(visit: (position: number, ordinal: number) => void): void {
    const [count] = this.coded.shape;
    readIndex(this.#indexBytes, this.index, { count, length: elementCount(this.shape) }, visit);
  }

  rebuild(): Float32Array {
    const dense = allocateDense(this.shape);
    const { values } = this;
    this.forEachPosition((position, i) => (dense[position] = values[i]));
    return dense;
  }
}
