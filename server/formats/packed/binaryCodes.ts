/** @file A quantized weight: sets of float32 scales, then a code of a few bits for each number. */
import { elementCount } from '../../protocol/shape.ts';
import { FormatError } from '../formatError.ts';
import { BitReader, BitWriter } from './bits.ts';
import {
  allocateDense,
  bytesOf,
  checkBytes,
  floatsOf,
  forEachElement,
  parseCount,
  parseView,
  viewText,
  type PackedForm,
  type RowView,
  type StoredWeight,
} from './packedWeight.ts';

/** A code has a byte while weights are quantized. */
const MOST_BITS = 8;

/** Row r, column c is `sum_i +-scales[r, i]`, with + where bit i of the code is set. */
export class BinaryCodesWeight implements PackedForm {
  readonly form = 'binary-codes';
  readonly shape: readonly number[];
  readonly bits: number;
  /** The matrix of the codes; one row where the whole weight has one set of scales. */
  readonly view: RowView;
  /** [rows, bits] */
  readonly scales: Float32Array;
  /** `bits` bits a number, in the order of the matrix. */
  readonly #codes: Uint8Array;

  private constructor(shape: readonly number[], bits: number, view: RowView, scales: Float32Array, codes: Uint8Array) {
    this.shape = shape;
    this.bits = bits;
    this.view = view;
    this.scales = scales;
    this.#codes = codes;
  }

  /**
   * @param view the matrix that has as many rows as there are sets of scales
   * @param scales [rows, bits]
   * @param codes [rows, columns], a byte each
   */
  static of(
    shape: readonly number[],
    view: RowView,
    bits: number,
    scales: Float32Array,
    codes: Uint8Array,
  ): BinaryCodesWeight {
    writing: {
      const { outer, rows, inner } = view;
      const writer = new BitWriter(bits * codes.length);
      for (const code of codes) writer.write(code, bits);
      return new BinaryCodesWeight(shape, bits, { outer, rows, inner }, scales, writer.bytes);
    }
  }

  /** @throws FormatError where parameters and bytes do not fit together */
  static read({ shape, parameters, bytes }: StoredWeight): BinaryCodesWeight {
    const bits = parseCount(parameters.get('bits'), 'how many bits a code has', 1);
    if (bits > MOST_BITS) throw new FormatError(`its codes have ${bits} bits; 1 to ${MOST_BITS} are possible`);
    const view = parseView(parameters.get('view'), shape);
    const scaleBytes = view.rows * bits * Float32Array.BYTES_PER_ELEMENT;
    checkBytes(bytes, scaleBytes + Math.ceil((bits * elementCount(shape)) / 8));
    return new BinaryCodesWeight(
      shape,
      bits,
      view,
      floatsOf(bytes.subarray(0, scaleBytes)),
      bytes.subarray(scaleBytes),
    );
  }

  get parameters(): Readonly<Record<string, string>> {
    return { bits: String(this.bits), view: viewText(this.view) };
  }

  get sections(): readonly Uint8Array[] {
    return [bytesOf(this.scales), this.#codes];
  }

  /** Calls `visit` with the code of each number, in the order of the matrix, and with where the number stands in the tensor. */
  forEachCode(visit: (code: number, position: number, row: number) => void): void {
    const reader = new BitReader(this.#codes);
    forEachElement(this.view, (position, row) => visit(reader.read(this.bits), position, row));
  }

  rebuild(): Float32Array {
    const dense = allocateDense(this.shape);
    let levels: ArrayLike<number> = [];
    let levelsRow = -1;
    this.forEachCode((code, position, row) => {
      if (row !== levelsRow) levels = this.#levelsOf((levelsRow = row));
      dense[position] = levels[code];
    });
    return dense;
  }

  /** The number of each code of a row: added in float64, first scale first, and rounded once. */
  #levelsOf(row: number): Float32Array {
    const scales = this.scales.subarray(row * this.bits, (row + 1) * this.bits);
    return Float32Array.from({ length: 2 ** this.bits }, (_, code) =>
      scales.reduce((sum, scale, i) => (code & (1 << i) ? sum + scale : sum - scale), 0),
    );
  }
}
