/** @file The size of a quantized weight: its codes, and what says which numbers they stand for. */
import { FLOAT_BITS, type CompressedSize } from '../../size.ts';
import type { MatrixView } from '../../targets/matrixView.ts';

/** `bits` a weight, and as many 32-bit scales a row or for the matrix. */
export function binaryCodeSize(view: MatrixView, bits: number, scales: 'row' | 'matrix'): CompressedSize {
  const sets = scales === 'row' ? view.rows : 1;
  return codedSize(view, bits, bits * sets);
}

/** The size of a weight whose codes are all of the same length, and need so many 32-bit numbers besides. */
export function codedSize({ rows, columns }: MatrixView, codeBits: number, floats: number): CompressedSize {
  const weights = rows * columns;
  return { weightsKept: weights, bits: codeBits * weights + FLOAT_BITS * floats };
}
