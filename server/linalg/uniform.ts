/** @file Reproducible random numbers. */

/**
 * Uniform numbers in [-1, 1): the linear congruential generator x <- 1664525 x + 1013904223 mod 2^32 (Press et al.,
 * Numerical Recipes, 7.1), as x / 2^31 - 1.
 */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
