/** @file The entries of a kernel as connections of inputs with outputs. */
import { rowMajorStrides } from '../../formats/strided.ts';
import { elementCount } from '../../protocol/shape.ts';

/** The axis of a kernel with a place for each input, and the one with a place for each output. */
export interface KernelAxes {
  readonly input: number;
  readonly output: number;
}

/**
 * Visits all entries of a kernel in the order in which they are stored.
 * @param visit gets the index of the entry and its places on the two axes
 */
export function eachConnection(
  shape: readonly number[],
  axes: KernelAxes,
  visit: (index: number, input: number, output: number) => void,
): void {
  const strides = rowMajorStrides(shape);
  const [inputStride, outputStride] = [strides[axes.input], strides[axes.output]];
  const [inputs, outputs] = [shape[axes.input], shape[axes.output]];
  const entries = elementCount(shape);
  for (let index = 0; index < entries; index++)
    visit(index, Math.floor(index / inputStride) % inputs, Math.floor(index / outputStride) % outputs);
}
