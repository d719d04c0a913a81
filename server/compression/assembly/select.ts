/**
 * @file The element of a given rank among magnitudes, by their bits: for floats that are not negative, the order of the
 * bits is the order of the values. A magnitude is `bits & 0x7fffffff`; NaNs are the largest.
 */

export const MAGNITUDE: i32 = 0x7fffffff;

export const BINS: usize = 2048;
/** Behind the bins: counts what belongs to none of them, so that the loop needs no branch, which would be mispredicted. */
const OTHERS: usize = BINS << 2;
/** Bytes of the histogram that {@link selectMagnitude} uses; a multiple of a cache line. */
export const HISTOGRAM_BYTES: usize = OTHERS + 64;

/** Number of magnitudes equal to the one that {@link selectMagnitude} found. */
export let equalCount: i32 = 0;
/** How many of those the rank reaches: 1 to {@link equalCount}. */
export let equalRank: i32 = 0;

/**
 * Radix selection, in digits of 11, 11 and 9 bits, each one pass over the data.
 *
 * @param values address of `length` float32; their signs are ignored
 * @param rank 1 for the smallest magnitude, to `length`
 * @param histogram address of {@link HISTOGRAM_BYTES} that may be overwritten
 * @returns the magnitude of that rank
 */
export function selectMagnitude(values: usize, length: i32, rank: i32, histogram: usize): i32 {
  const prefix: u32 = approximateMagnitude(values, length, rank, histogram);
  return prefix | selectDigit(values, length, prefix, 9, 0, histogram);
}

/** {@link selectMagnitude} without its last digit: too small by less than 1 in 16,384. */
export function approximateMagnitude(values: usize, length: i32, rank: i32, histogram: usize): i32 {
  equalRank = rank;
  const prefix = selectDigit(values, length, 0, 31, 20, histogram);
  return prefix | selectDigit(values, length, prefix, 20, 9, histogram);
}

/**
 * The digit, bits `low` to `high - 1`, of the magnitude of rank {@link equalRank} among those that have the bits of
 * `prefix` from `high` upwards; leaves in {@link equalRank} the rank among those that have this digit too.
 */
function selectDigit(values: usize, length: i32, prefix: u32, high: u32, low: u32, histogram: usize): u32 {
  memory.fill(histogram, 0, HISTOGRAM_BYTES);
  const known = prefix >> high;
  const mask: u32 = (1 << (high - low)) - 1;
  const end = values + ((<usize>length) << 2);
  for (let address = values; address < end; address += 4) {
    const magnitude = load<u32>(address) & MAGNITUDE;
    const bin = <usize>((magnitude >> low) & mask) << 2;
    const counter = histogram + select(bin, OTHERS, magnitude >> high === known);
    store<i32>(counter, load<i32>(counter) + 1);
  }
  let bin = histogram;
  equalCount = load<i32>(bin);
  while (equalRank > equalCount) {
    equalRank -= equalCount;
    bin += 4;
    equalCount = load<i32>(bin);
  }
  return ((<u32>(bin - histogram)) >> 2) << low;
}
