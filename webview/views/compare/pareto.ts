/** @file Size against metric: which runs no other beats in both. Pure. */

/** A finished run. */
export interface Outcome {
  /** Bytes of the compressed model. */
  readonly size: number;
  /** Test metric. */
  readonly metric: number;
}

/**
 * Indices of the outcomes on the Pareto front, smallest first: no other outcome is at least as good in both and better in
 * one. Outcomes that are equal in both are all on it. Those with a size or a metric that is not finite are not.
 */
export function paretoFront(outcomes: readonly Outcome[], greaterIsBetter: boolean): number[] {
  const sign = greaterIsBetter ? 1 : -1;
  const indices = outcomes
    .map((_, index) => index)
    .filter((index) => Number.isFinite(outcomes[index].size) && Number.isFinite(outcomes[index].metric))
    .sort((a, b) => outcomes[a].size - outcomes[b].size || sign * (outcomes[b].metric - outcomes[a].metric));
  const front: number[] = [];
  for (const index of indices) {
    const last = front.at(-1);
    const { size, metric } = outcomes[index];
    if (last === undefined || sign * (metric - outcomes[last].metric) > 0) front.push(index);
    else if (size === outcomes[last].size && metric === outcomes[last].metric) front.push(index);
  }
  return front;
}
