/** @file Weight distortion by magnitude pruning (DeepTwist, algorithm 1), in place. */
import { pruneSmallest } from './kernels.ts';

/** Weights that a pruning rate makes zero: `floor(rate * size)`. */
export function prunedCount(rate: number, size: number): number {
  return Math.floor(rate * size);
}

/** Sets the {@link prunedCount} weights of smallest magnitude to zero; see {@link pruneSmallest} for zeros and ties. */
export function prune(values: Float32Array, rate: number): void {
  pruneSmallest(values, prunedCount(rate, values.length));
}
