/**
 * @file How many quantization points each weight has, by the norms of their gradients: the redistribution of bits of differentiable
 * quantization (Polino et al. 2018; the rule is that of the published code).
 */
import { MOST_LEVELS } from '../../../formats/packed/levels.ts';

/** A weight of one point is a constant. */
const LEAST_POINTS = 2;

/**
 * Each weight keeps half of its points, `h_t = floor(s_t / 2)`, and gets of the others, R in all, its part of the gradients' norms:
 * `h_t + round(R g_t / sum g)`. What rounding has left over or spent goes to the weight with the fewest points, or is taken from the one
 * with the most. Here no weight has less than 2 or more than 256 points: what that leaves over goes to the next. The sum stays.
 *
 * @param counts s_t, 2 to 256
 * @param norms g_t, one for each; where all are 0, or one is not finite, nothing changes
 */
export function allocatePoints(counts: readonly number[], norms: readonly number[]): number[] {
  const sum = total(norms);
  if (sum === 0 || !Number.isFinite(sum)) return [...counts];
  const others = shared(counts);
  const allocated = counts.map((count, i) => bounded(half(count) + Math.round((others * norms[i]) / sum)));
  let excess = total(allocated) - total(counts);
  while (excess !== 0) {
    const place = allocated.indexOf(excess > 0 ? Math.max(...allocated) : Math.min(...allocated));
    const changed = bounded(allocated[place] - excess);
    excess -= allocated[place] - changed;
    allocated[place] = changed;
  }
  return allocated;
}

/** The points that each weight can get at most. @param counts as for {@link allocatePoints} */
export function mostPoints(counts: readonly number[]): number[] {
  const others = shared(counts);
  return counts.map((count) => bounded(half(count) + others));
}

const half = (count: number) => Math.floor(count / 2);
const bounded = (count: number) => Math.max(LEAST_POINTS, Math.min(MOST_LEVELS, count));
const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);
const shared = (counts: readonly number[]) => total(counts.map((count) => count - half(count)));
