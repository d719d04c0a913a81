/** @file How much is pruned at a step: equation (1) of DeepTwist, after Zhu & Gupta 2017. */
import type { PruningSchedule } from '../protocol/config.ts';

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
