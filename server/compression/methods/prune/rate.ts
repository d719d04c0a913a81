/** @file The pruning rate at a step: equation (1) of DeepTwist, after Zhu & Gupta 2017; and the number of weights that a rate prunes. */
import type { PruningSchedule } from '../../../protocol/experiment/schema/compression.ts';

/**
 * `p_t = p_f + (p_i - p_f) (1 - (t - t_i)/(t_f - t_i))^E` from step `t_i` to `t_f`; nothing is pruned before, and `p_f`
 * is kept after.
 *
 * @param schedule undefined: the target rate at every step
 * @param targetRate p_f, 0 to 1
 * @param step t, the number of training steps done
 */
export function pruningRateAt(schedule: PruningSchedule | undefined, targetRate: number, step: number): number {
  if (!schedule) return targetRate;
  const { initialRate, from, to, exponent } = schedule;
  if (step < from) return 0;
  if (step >= to) return targetRate;
  return targetRate + (initialRate - targetRate) * (1 - (step - from) / (to - from)) ** exponent;
}

/**
 * Weights that a pruning rate makes zero: `floor(rate * size)` of the rate as it is written. As a double it is another number:
 * 0.29 * 100 is 28.999999999999996, so that a product that is nearly a whole number counts as that.
 */
export function prunedCount(rate: number, size: number): number {
  const product = rate * size;
  const nearest = Math.round(product);
  return Math.abs(product - nearest) <= 4 * Number.EPSILON * product ? nearest : Math.floor(product);
}
