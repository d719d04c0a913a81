/** @file Words for compressed sizes. No compressed file is written yet, so that every text says what one would take. */

/** Between the size of the dense weights and the one that their compressed form would have in a file. */
export const WOULD_TAKE = 'would take';
