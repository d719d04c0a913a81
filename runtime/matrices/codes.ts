/** @file A matrix of binary codes. How it lies in memory is described in `assembly/codes.ts`. */
import type { BinaryCodesWeight } from '../../server/formats/packed/binaryCodes.ts';
import type { Kernels } from '../kernels.ts';
import type { LinearMemory } from '../linearMemory.ts';
import type { Columns, Matrix } from './matrix.ts';

/** Outputs of a block. */
const BLOCK = 16;
/** Inputs of a group: a byte of keys. */
const GROUP = 8;
/** Bytes of the tables of a group. */
const TABLE_BYTES = 96;

export class CodesMatrix implements Matrix {
  readonly inputs: number;
  readonly outputs: number;
  readonly #kernels: Kernels;
  readonly #memory: LinearMemory;
  readonly #bits: number;
  readonly #groups: number;
  /** [block, bit, group, 16] */
  readonly #keys: number;
  /** float32 [block, bit, 16] */
  readonly #scales: number;

  constructor(kernels: Kernels, memory: LinearMemory, weight: BinaryCodesWeight, inputs: number, columns: Columns) {
    const { bits } = weight;
    const { from, to, of } = columns;
    const outputs = to - from;
    const groups = Math.ceil(inputs / GROUP);
    const blocks = Math.ceil(outputs / BLOCK);
    this.inputs = inputs;
    this.outputs = outputs;
    this.#kernels = kernels;
    this.#memory = memory;
    this.#bits = bits;
    this.#groups = groups;
    const keyBytes = blocks * bits * groups * BLOCK;
    this.#keys = memory.allocate(keyBytes);
    this.#scales = memory.allocate(4 * blocks * bits * BLOCK);

    const scales = memory.floats(this.#scales, blocks * bits * BLOCK).fill(0);
    for (let output = 0; output < outputs; output++) {
      const row = weight.view.rows === 1 ? 0 : from + output;
      for (let bit = 0; bit < bits; bit++)
        scales[(Math.floor(output / BLOCK) * bits + bit) * BLOCK + (output % BLOCK)] = weight.scales[row * bits + bit];
    }
    const keys = memory.bytes(this.#keys, keyBytes).fill(0);
    weight.forEachCode((code, position) => {
      const column = position % of;
      if (column < from || column >= to) return;
      const output = column - from;
      const input = Math.floor(position / of);
      const first = Math.floor(output / BLOCK) * bits * groups + Math.floor(input / GROUP);
      for (let bit = 0; bit < bits; bit++)
        keys[(first + bit * groups) * BLOCK + (output % BLOCK)] |= ((code >>> bit) & 1) << (input % GROUP);
    });
  }

  /** True where each output has scales of its own, or all have the same: no others can be multiplied so. */
  static suits({ view: { outer, rows, inner } }: BinaryCodesWeight, inputs: number, columns: Columns): boolean {
    return rows === 1 || (rows === columns.of && inner === 1 && outer === inputs);
  }

  scratchBytes(): number {
    return this.#groups * (TABLE_BYTES + 4 * GROUP);
  }

  multiply(x: number, rows: number, bias: number, y: number, scratch: number): void {
    const { inputs, outputs } = this;
    const groups = this.#groups;
    const tables = scratch + 4 * GROUP * groups;
    for (let row = 0; row < rows; row++) {
      const from = x + 4 * row * inputs;
      const filled = inputs % GROUP === 0 ? from : this.#fillUp(from, scratch);
      const unit = this.#kernels.buildTables(filled, groups, tables);
      const to = y + 4 * row * outputs;
      this.#kernels.multiplyCodes(tables, unit, this.#keys, this.#scales, this.#bits, groups, outputs, bias, to);
    }
  }

  /** A copy of x with zeros up to a whole group. */
  #fillUp(x: number, copy: number): number {
    const bytes = 4 * this.inputs;
    this.#kernels.copyBlocks(x, 0, bytes, 1, copy, 0);
    this.#memory.bytes(copy, 4 * GROUP * this.#groups).fill(0, bytes);
    return copy;
  }
}
