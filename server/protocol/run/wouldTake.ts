/** @file Words for compressed sizes that are counted: those of a layer, and of runs of which no file is at hand. */

/** Between the size of the dense weights and the one that their compressed form would have in a file. */
export const WOULD_TAKE = 'would take';
