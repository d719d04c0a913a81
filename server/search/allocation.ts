/** @file Giving a budget of bytes out over layers. Pure. */

/** What can become of a weight: the bytes that it then takes, and what that costs. */
export interface Option {
  readonly bytes: number;
  readonly cost: number;
}

/**
 * The options of a weight that some strength chooses, from the most bytes to the fewest: those of which none other has a lower sum of its cost and
 * lambda times its bytes, for a lambda. They are the corners of the lower convex hull.
 * @returns their indices
 */
export function chosenOptions(options: readonly Option[]): number[] {
  const order = options
    .map((_, i) => i)
    .sort((a, b) => options[a].bytes - options[b].bytes || options[a].cost - options[b].cost);
  const hull: number[] = [];
  for (const i of order) {
    const { bytes, cost } = options[i];
    const last = hull.at(-1);
    if (last !== undefined && cost >= options[last].cost) continue;
    while (hull.length >= 2) {
      const [a, b] = hull.slice(-2).map((index) => options[index]);
      // The option between lies on or above the straight line from the one before to this one.
      if ((b.cost - a.cost) * (bytes - a.bytes) < (cost - a.cost) * (b.bytes - a.bytes)) break;
      hull.pop();
    }
    hull.push(i);
  }
  return hull.reverse();
}

/**
 * The options of all weights at the least strength whose bytes together are within a budget: a Lagrangian, whose one lambda says for all weights what
 * a byte is worth (Shoham & Gersho 1988). What that leaves of the budget is given out to the weights whose cost it lowers most.
 * @param weights the options of each
 * @param budget in bytes
 * @returns the index of the option of each weight; the smallest of each where all together are too many bytes
 */
export function allocate(weights: readonly (readonly Option[])[], budget: number): number[] {
  const hulls = weights.map(chosenOptions);
  const places = hulls.map(() => 0);
  let bytes = weights.reduce((sum, options, i) => sum + options[hulls[i][0]].bytes, 0);
  const steps = weights
    .flatMap((options, weight) =>
      hulls[weight].slice(1).map((index, place) => {
        const [from, to] = [options[hulls[weight][place]], options[index]];
        return { weight, lambda: (to.cost - from.cost) / (from.bytes - to.bytes), saved: from.bytes - to.bytes };
      }),
    )
    // Those of a weight keep their order: along a hull lambda rises.
    .sort((a, b) => a.lambda - b.lambda);
  for (const { weight, saved } of steps) {
    if (bytes <= budget) break;
    places[weight]++;
    bytes -= saved;
  }
  const chosen = places.map((place, i) => hulls[i][place]);
  return filled(weights, chosen, budget - bytes);
}

/**
 * The options with what is left of a budget: as long as another option of a weight has room and costs less, the one that lowers the cost most is taken.
 * @param left bytes; nothing is done where they are fewer than 0
 */
function filled(weights: readonly (readonly Option[])[], chosen: readonly number[], left: number): number[] {
  const filled = [...chosen];
  let room = left;
  while (room > 0) {
    let best: { weight: number; option: number; gain: number; more: number } | undefined;
    for (const [weight, options] of weights.entries()) {
      const now = options[filled[weight]];
      for (const [option, { bytes, cost }] of options.entries()) {
        const [gain, more] = [now.cost - cost, bytes - now.bytes];
        if (more <= room && gain > (best?.gain ?? 0)) best = { weight, option, gain, more };
      }
    }
    if (!best) break;
    filled[best.weight] = best.option;
    room -= best.more;
  }
  return filled;
}
