/** @file A weight that is not compressed: its float32 numbers, an ordinary tensor of the file. */
import { bytesOf, type PackedForm } from './packedWeight.ts';

export class DenseWeight implements PackedForm {
  readonly form = 'dense';
  readonly parameters = {};
  readonly shape: readonly number[];
  readonly values: Float32Array;

  constructor(shape: readonly number[], values: Float32Array) {
    this.shape = shape;
    this.values = values;
  }

  get sections(): readonly Uint8Array[] {
    return [bytesOf(this.values)];
  }

  rebuild(): Float32Array {
    return this.values.slice();
  }
}
