/** @file How much a search may train, in runs of the full length. */

export const searchBudget = {
  /** A smaller budget has no room for the dense model, short runs and a full one. */
  least: 3,
  most: 1000,
  /** The default. */
  usual: 10,
} as const;
