/** @file A pruned matrix. How it lies in memory is described in `assembly/sparse.ts`. */
import type { PrunedWeight } from '../../server/formats/packed/packedFile.ts';
import type { Kernels } from '../kernels.ts';
import type { LinearMemory } from '../linearMemory.ts';
import type { Columns, Matrix } from './matrix.ts';

/** Outputs of a slice. */
const SLICE = 4;
/** The largest distance that a byte holds. */
const MOST = 255;
/** Rows of X that one pass multiplies. */
const ROWS = 16;
/** With fewer rows, each is multiplied by itself. */
const FEW_ROWS = 4;

export class SparseMatrix implements Matrix {
  readonly inputs: number;
  readonly outputs: number;
  readonly #kernels: Kernels;
  readonly #values: number;
  readonly #distances: number;
  /** u32 per slice */
  readonly #sizes: number;
  /** u32 per output */
  readonly #order: number;

  constructor(kernels: Kernels, memory: LinearMemory, weight: PrunedWeight, inputs: number, columns: Columns) {
    const outputs = columns.to - columns.from;
    this.inputs = inputs;
    this.outputs = outputs;
    this.#kernels = kernels;
    const entries = countEntries(weight, columns);
    const order = Uint32Array.from(entries.keys()).sort((a, b) => entries[b] - entries[a]);
    const sizes = Uint32Array.from({ length: Math.ceil(outputs / SLICE) }, (_, slice) => entries[order[slice * SLICE]]);
    const total = SLICE * sizes.reduce((sum, size) => sum + size, 0);

    this.#values = memory.allocate(4 * total);
    this.#distances = memory.allocate(total);
    this.#sizes = memory.allocate(4 * sizes.length);
    this.#order = memory.allocate(4 * outputs);
    memory.integers(this.#sizes, sizes.length).set(sizes);
    memory.integers(this.#order, outputs).set(order);
    const values = memory.floats(this.#values, total).fill(0);
    const distances = memory.bytes(this.#distances, total).fill(0);

    /** Index of the next entry of each output. */
    const next = new Uint32Array(outputs);
    let start = 0;
    sizes.forEach((size, slice) => {
      for (let lane = 0; lane < SLICE && slice * SLICE + lane < outputs; lane++)
        next[order[slice * SLICE + lane]] = start + lane;
      start += SLICE * size;
    });
    forEachEntry(weight, columns, (output, distance, value) => {
      values[next[output]] = value;
      distances[next[output]] = distance;
      next[output] += SLICE;
    });
  }

  scratchBytes(rows: number): number {
    return rows < FEW_ROWS ? 0 : 4 * ROWS * this.inputs;
  }

  multiply(x: number, rows: number, bias: number, y: number, scratch: number): void {
    const { inputs, outputs } = this;
    const [values, distances, sizes, order] = [this.#values, this.#distances, this.#sizes, this.#order];
    if (rows < FEW_ROWS) {
      for (let row = 0; row < rows; row++) {
        const [from, to] = [x + 4 * row * inputs, y + 4 * row * outputs];
        this.#kernels.multiplySparse(from, values, distances, sizes, order, outputs, bias, to);
      }
      return;
    }
    for (let row = 0; row < rows; row += ROWS) {
      const count = Math.min(ROWS, rows - row);
      const to = y + 4 * row * outputs;
      this.#kernels.transposeTo16(x + 4 * row * inputs, count, inputs, scratch);
      this.#kernels.multiplySparseColumns(scratch, count, values, distances, sizes, order, outputs, bias, to);
    }
  }
}

function countEntries(weight: PrunedWeight, columns: Columns): Uint32Array {
  const entries = new Uint32Array(columns.to - columns.from);
  forEachEntry(weight, columns, (output) => entries[output]++);
  return entries;
}

/** Calls `visit` with each entry, those of an output in the order of their inputs; a long distance is several entries. */
function forEachEntry(
  weight: PrunedWeight,
  { from, to, of }: Columns,
  visit: (output: number, distance: number, value: number) => void,
): void {
  const lastInput = new Uint32Array(to - from);
  weight.forEachPosition((position, ordinal) => {
    const column = position % of;
    if (column < from || column >= to) return;
    const output = column - from;
    const input = Math.floor(position / of);
    let distance = input - lastInput[output];
    for (; distance > MOST; distance -= MOST) visit(output, MOST, 0);
    visit(output, distance, weight.values[ordinal]);
    lastInput[output] = input;
  });
}
