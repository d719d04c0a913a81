/** @file Weight distortion by magnitude pruning (DeepTwist, algorithm 1), in place. */
import { pruneSmallest } from '../../kernels.ts';
import { prunedCount } from './rate.ts';

/** Sets the {@link prunedCount} weights of smallest magnitude to zero; see {@link pruneSmallest} for zeros and ties. */
export function prune(values: Float32Array, rate: number): void {
  pruneSmallest(values, prunedCount(rate, values.length));
}
