/** @file A dense matrix. */
import type { Kernels } from '../kernels.ts';
import type { LinearMemory } from '../linearMemory.ts';
import type { Columns, Matrix } from './matrix.ts';

export class DenseMatrix implements Matrix {
  readonly inputs: number;
  readonly outputs: number;
  readonly #kernels: Kernels;
  readonly #address: number;

  /** @param address of float32 [inputs, outputs] */
  constructor(kernels: Kernels, address: number, inputs: number, outputs: number) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.#kernels = kernels;
    this.#address = address;
  }

  /** @param values [inputs, columns.of] */
  static store(kernels: Kernels, memory: LinearMemory, values: Float32Array, columns: Columns): DenseMatrix {
    const { from, to, of } = columns;
    const inputs = values.length / of;
    const outputs = to - from;
    if (outputs === of) return new DenseMatrix(kernels, memory.store(values), inputs, outputs);
    const address = memory.allocate(4 * inputs * outputs);
    const target = memory.floats(address, inputs * outputs);
    for (let i = 0; i < inputs; i++) target.set(values.subarray(i * of + from, i * of + to), i * outputs);
    return new DenseMatrix(kernels, address, inputs, outputs);
  }

  scratchBytes(): number {
    return 0;
  }

  multiply(x: number, rows: number, bias: number, y: number): void {
    const { inputs, outputs } = this;
    if (rows === 1) this.#kernels.multiplyVector(x, this.#address, bias, inputs, outputs, y);
    else this.#kernels.multiplyMatrix(x, rows, this.#address, bias, inputs, outputs, y);
  }
}
