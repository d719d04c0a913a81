/** @file How much a search may train, in runs of the full length. */

export const searchBudget = {
  /** Fewer do not hold the dense model, short runs and a full one. */
  least: 3,
  most: 1000,
  /** Where nobody says it. */
  usual: 10,
} as const;
