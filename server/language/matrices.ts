/** @file The matrices that weights are compressed as, by their sides. */
import { viewOfWeight } from '../compression/targets/matrixView.ts';
import type { MatrixSides } from '../protocol/experiment/methods/facts.ts';
import type { DescribedWeight } from '../protocol/model/modelDescription.ts';

export function matricesOf(weights: readonly DescribedWeight[]): MatrixSides[] {
  return weights.map(viewOfWeight);
}

/** Infinity where there is no matrix. */
export function shortestSide(matrices: readonly MatrixSides[]): number {
  return Math.min(...matrices.map(({ rows, columns }) => Math.min(rows, columns)));
}
