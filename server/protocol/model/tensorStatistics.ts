/** @file What is told of the numbers of a tensor. */

/** Minimum, maximum, mean and standard deviation are of the finite numbers, and absent where there is none. */
export interface TensorStatistics {
  /** How many numbers are exactly 0. */
  readonly zeros: number;
  /** How many are NaN or infinite. */
  readonly notFinite: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly mean?: number;
  /** Of all of them, not of a sample: the sum is divided by their number. */
  readonly deviation?: number;
}

/** Finite numbers, counted in equal-width bins over [minimum, maximum]; where these are equal, all are that number. */
export interface TensorHistogram {
  readonly minimum: number;
  readonly maximum: number;
  readonly counts: Float64Array;
  /** How many of the counted numbers are exactly 0. */
  readonly zeros: number;
}
