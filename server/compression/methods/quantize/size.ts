/** @file The size of a quantized weight: its codes and scales. */
import { FLOAT_BITS, type CompressedSize } from '../../size.ts';
import type { MatrixView } from '../../targets/matrixView.ts';

/** `bits` a weight, and as many 32-bit scales a row or for the matrix. */
export function binaryCodeSize(view: MatrixView, bits: number, scales: 'row' | 'matrix'): CompressedSize {
  const weights = view.rows * view.columns;
  const sets = scales === 'row' ? view.rows : 1;
  return { weightsKept: weights, bits: bits * weights + FLOAT_BITS * bits * sets };
}
