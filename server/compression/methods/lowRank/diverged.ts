/** @file The error for a weight that has no singular values. */
import { DivergenceError } from '../../../protocol/run/fault.ts';

/** Ranks, thresholds and shapes were checked before the run: what is left to be out of range is a weight. */
export function diverged(name: string, cause: RangeError): DivergenceError {
  return new DivergenceError(`${name} has no singular values: training has diverged. ${cause.message}`, {
    remedy: 'Lower training.optimizer.learningRate, or clip the gradients (training.clip).',
    cause,
  });
}
