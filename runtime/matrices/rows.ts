/** @file A weight of which single rows are looked up: the vectors of an embedding. */
import type { BinaryCodesWeight } from '../../server/formats/packed/binaryCodes.ts';
import type { PrunedWeight } from '../../server/formats/packed/packedFile.ts';
import type { Kernels } from '../kernels.ts';
import type { LinearMemory } from '../linearMemory.ts';
import type { Matrix } from './matrix.ts';

export interface Rows {
  readonly rows: number;
  readonly columns: number;
  /** Writes a row to the address `y`. */
  copyRow(row: number, y: number): void;
}

/** The largest distance that a byte holds. */
const MOST = 255;

export class DenseRows implements Rows {
  readonly rows: number;
  readonly columns: number;
  readonly #kernels: Kernels;
  readonly #address: number;

  constructor(kernels: Kernels, memory: LinearMemory, values: Float32Array, columns: number) {
    this.rows = values.length / columns;
    this.columns = columns;
    this.#kernels = kernels;
    this.#address = memory.store(values);
  }

  copyRow(row: number, y: number): void {
    const bytes = 4 * this.columns;
    this.#kernels.copyBlocks(this.#address + row * bytes, 0, bytes, 1, y, 0);
  }
}

/** Rows of a pruned weight: the values of each, and a byte for each with its distance from the one before it. */
export class SparseRows implements Rows {
  readonly rows: number;
  readonly columns: number;
  readonly #memory: LinearMemory;
  readonly #values: number;
  readonly #distances: number;
  /** u32 [rows + 1]: the first entry of each row. */
  readonly #starts: number;
  readonly #entries: number;

  constructor(memory: LinearMemory, weight: PrunedWeight, rows: number, columns: number) {
    this.rows = rows;
    this.columns = columns;
    this.#memory = memory;
    const starts = new Uint32Array(rows + 1);
    forEachEntry(weight, columns, (row) => starts[row + 1]++);
    for (let row = 0; row < rows; row++) starts[row + 1] += starts[row];
    this.#entries = starts[rows];
    this.#values = memory.allocate(4 * this.#entries);
    this.#distances = memory.allocate(this.#entries);
    this.#starts = memory.allocate(4 * starts.length);
    memory.integers(this.#starts, starts.length).set(starts);
    const values = memory.floats(this.#values, this.#entries);
    const distances = memory.bytes(this.#distances, this.#entries);
    let next = 0;
    forEachEntry(weight, columns, (_, distance, value) => {
      values[next] = value;
      distances[next++] = distance;
    });
  }

  copyRow(row: number, y: number): void {
    const [start, end] = this.#memory.integers(this.#starts + 4 * row, 2);
    const values = this.#memory.floats(this.#values, this.#entries);
    const distances = this.#memory.bytes(this.#distances, this.#entries);
    const target = this.#memory.floats(y, this.columns).fill(0);
    for (let entry = start, column = 0; entry < end; entry++) target[(column += distances[entry])] = values[entry];
  }
}

function forEachEntry(
  weight: PrunedWeight,
  columns: number,
  visit: (row: number, distance: number, value: number) => void,
): void {
  let lastRow = -1;
  let lastColumn = 0;
  weight.forEachPosition((position, ordinal) => {
    const row = Math.floor(position / columns);
    const column = position % columns;
    if (row !== lastRow) lastColumn = 0;
    let distance = column - lastColumn;
    for (; distance > MOST; distance -= MOST) visit(row, MOST, 0);
    visit(row, distance, weight.values[ordinal]);
    lastRow = row;
    lastColumn = column;
  });
}

/** Rows of binary codes, which stay as the file has them. */
export class CodesRows implements Rows {
  readonly rows: number;
  readonly columns: number;
  readonly #memory: LinearMemory;
  readonly #bits: number;
  readonly #scaleRows: number;
  readonly #scales: number;
  readonly #codes: number;

  constructor(memory: LinearMemory, weight: BinaryCodesWeight, rows: number, columns: number) {
    const [, codes] = weight.sections;
    this.rows = rows;
    this.columns = columns;
    this.#memory = memory;
    this.#bits = weight.bits;
    this.#scaleRows = weight.view.rows;
    this.#scales = memory.store(weight.scales);
    // The byte behind the last is read with it.
    this.#codes = memory.allocate(codes.length + 1);
    memory.bytes(this.#codes, codes.length).set(codes);
  }

  /** True where a row of the weight is a row of the codes, or where all have the same scales. */
  static suits({ view: { outer, rows } }: BinaryCodesWeight, count: number): boolean {
    return rows === 1 || (outer === 1 && rows === count);
  }

  copyRow(row: number, y: number): void {
    const bits = this.#bits;
    const setOfScales = this.#scaleRows === 1 ? 0 : row;
    const scales = this.#memory.floats(this.#scales + 4 * bits * setOfScales, bits);
    const levels = Float32Array.from({ length: 2 ** bits }, (_, code) =>
      scales.reduce((sum, scale, bit) => (code & (1 << bit) ? sum + scale : sum - scale), 0),
    );
    const firstBit = row * this.columns * bits;
    const firstByte = Math.floor(firstBit / 8);
    const codes = this.#memory.bytes(this.#codes + firstByte, Math.ceil((this.columns * bits) / 8) + 2);
    const target = this.#memory.floats(y, this.columns);
    for (let column = 0, at = firstBit % 8; column < this.columns; column++, at += bits) {
      const byte = at >>> 3;
      target[column] = levels[((codes[byte] | (codes[byte + 1] << 8)) >>> (at & 7)) & (2 ** bits - 1)];
    }
  }
}

/** Rows of a matrix of low rank: a row of the left factor times the right one. */
export class FactorsRows implements Rows {
  readonly rows: number;
  readonly columns: number;
  readonly #left: number;
  readonly #right: Matrix;
  readonly #zeros: number;

  /**
   * @param left address of [rows, rank]
   * @param right [rank, columns]
   * @param zeros address of `columns` zeros
   */
  constructor(left: number, rows: number, right: Matrix, zeros: number) {
    this.rows = rows;
    this.columns = right.outputs;
    this.#left = left;
    this.#right = right;
    this.#zeros = zeros;
  }

  copyRow(row: number, y: number): void {
    this.#right.multiply(this.#left + 4 * row * this.#right.inputs, 1, this.#zeros, y, 0);
  }
}
