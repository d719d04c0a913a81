/** @file How much of a matrix its first singular values are. */

/** What is added up: the singular values (Alvarez & Salzmann 2017), or their squares (Wen et al. 2017). */
export type EnergyOf = 'values' | 'squares';

/** The energy, i.e. the sum of the squares, of the first `rank` values as a fraction of that of all; NaN of none. */
export function energyKept(values: ArrayLike<number>, rank: number): number {
  let kept = 0;
  let all = 0;
  for (let i = 0; i < values.length; i++) {
    const energy = values[i] ** 2;
    all += energy;
    if (i < rank) kept += energy;
  }
  return kept / all;
}

/**
 * The least rank that keeps `fraction` of the energy: `min {r : sum_(j <= r) s_j >= e sum_j s_j}` where values are added up. With 1,
 * the number of values above 0.
 * @param values descending
 */
export function rankForEnergy(values: ArrayLike<number>, fraction: number, of: EnergyOf = 'squares'): number {
  const energyAt = (i: number) => (of === 'squares' ? values[i] ** 2 : values[i]);
  let all = 0;
  for (let i = 0; i < values.length; i++) all += energyAt(i);
  // A sum that a rounding error keeps from what is asked for has reached it; but nothing is left out of all.
  const enough = fraction < 1 ? fraction * all * (1 - Number.EPSILON * values.length) : all;
  let kept = 0;
  for (let rank = 0; rank < values.length; rank++) {
    if (kept >= enough) return rank;
    kept += energyAt(rank);
  }
  return values.length;
}
