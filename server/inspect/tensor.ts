/** @file What is known of a model's file before the numbers in it are read. */
import type { RowView } from '../formats/packed/packedWeight.ts';
import type { Tensor } from '../protocol/model/tensor.ts';
import type { Numbers } from '../formats/elementTypes.ts';

export interface StoredTensor extends Tensor {
  /** The tensor, in the order of the file, as a matrix with a row for each output unit; absent where it has less than two axes. */
  readonly view?: RowView;
  /** How far the {@link numbers} of each axis are apart, in elements, where they are not in row-major order. */
  readonly strides?: readonly number[];
  /** False for a tensor beside the model's weights, such as the state of an optimizer in a checkpoint. */
  readonly isOfModel?: boolean;
  /**
   * All numbers, in the order of the file, a part at a time; a part is overwritten when the next is asked for.
   * @throws UserError where the file is damaged or not what it was, and where the tensor has a {@link Tensor.problem}
   */
  numbers(): AsyncIterable<Numbers>;
}

export interface ModelFile {
  readonly path: string;
  /** Name of its format: `safetensors`. */
  readonly format: string;
  /** Size of the file, without others that it names. */
  readonly bytes: number;
  readonly tensors: readonly StoredTensor[];
  /** What the file says of itself. */
  readonly metadata: readonly (readonly [key: string, value: string])[];
  close(): Promise<void>;
}
