/** @file How much of a matrix its first singular values are. */

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

/** The least rank that keeps `fraction` of the energy. */
export function rankForEnergy(values: ArrayLike<number>, fraction: number): number {
  let all = 0;
  for (let i = 0; i < values.length; i++) all += values[i] ** 2;
  let kept = 0;
  for (let rank = 0; rank < values.length; rank++) {
    if (kept >= fraction * all) return rank;
    kept += values[rank] ** 2;
  }
  return values.length;
}
