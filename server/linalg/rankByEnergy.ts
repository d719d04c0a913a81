/** @file How many singular values hold a part of all that they add up to. */

/** What is added up: the singular values (Alvarez & Salzmann 2017), or their squares (Wen et al. 2017). */
export type EnergyOf = 'values' | 'squares';

/**
 * The smallest r whose first r singular values add up to at least `energy` times the sum of all: `min {r : sum_(j <= r) s_j >= e sum_j s_j}`.
 * @param singularValues descending
 * @param energy e, above 0 and at most 1; 1 keeps all that are given
 * @returns 0 where no value is above 0
 */
export function rankByEnergy(singularValues: ArrayLike<number>, energy: number, of: EnergyOf = 'values'): number {
  const parts = Array.from(singularValues, (value) => (of === 'squares' ? value * value : value));
  const positive = parts.filter((part) => part > 0);
  if (energy >= 1) return positive.length;
  const needed = energy * positive.reduce((sum, part) => sum + part, 0);
  let sum = 0;
  // A sum that misses what is needed by a rounding error reaches it: 0.9 of 5, 3 and 2 needs no third value for 9.
  const rank = positive.findIndex((part) => (sum += part) >= needed * (1 - Number.EPSILON * positive.length));
  return rank + 1;
}
