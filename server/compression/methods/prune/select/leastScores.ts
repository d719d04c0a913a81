/** @file The entries of weights with the least scores, all weights together, found by radix selection in three passes. */

/** The digits of a key from the highest on: their lowest bit, and how many bits they have. */
const DIGITS = [
  { low: 21, bits: 11 },
  { low: 10, bits: 11 },
  { low: 0, bits: 10 },
] as const;
const INFINITY_BITS = 0x7f80_0000;
const MAGNITUDE = 0x7fff_ffff;
const NEGATIVE_ZERO = -0x8000_0000;

/**
 * Marks the `count` least scores by 0 and all others by 1. Among equal scores the earlier array goes first, then the lower index;
 * a NaN is the greatest of all.
 * @param count 0 to the number of scores
 * @returns an array for each of scores
 */
export function keepGreatest(scores: readonly Float32Array[], count: number): Uint8Array[] {
  if (count <= 0) return scores.map(({ length }) => new Uint8Array(length).fill(1));
  const { key, equals } = leastOfRank(scores, count);
  let left = equals;
  return scores.map((array) => {
    const bits = bitsOf(array);
    const kept = new Uint8Array(array.length);
    for (let i = 0; i < bits.length; i++) {
      const own = keyOf(bits[i]);
      if (own < key) continue;
      if (own === key && left > 0) left--;
      else kept[i] = 1;
    }
    return kept;
  });
}

/** The score of rank `rank`, 1 for the least. */
export function scoreOfRank(scores: readonly Float32Array[], rank: number): number {
  const { key } = leastOfRank(scores, rank);
  const bits = key >= 0x8000_0000 ? key ^ 0x8000_0000 : ~key;
  return new Float32Array(Int32Array.of(bits).buffer)[0];
}

/** The key of a rank, and how many of the scores with that key the rank reaches. */
function leastOfRank(scores: readonly Float32Array[], rank: number): { key: number; equals: number } {
  const arrays = scores.map(bitsOf);
  const counts = new Int32Array(1 << DIGITS[0].bits);
  let known = 0;
  let left = rank;
  for (const { low, bits } of DIGITS) {
    counts.fill(0);
    const mask = (1 << bits) - 1;
    for (const array of arrays)
      for (let i = 0; i < array.length; i++) {
        const key = keyOf(array[i]);
        // A shift by 32 bits would be one by none.
        if ((key >>> low) >>> bits === known) counts[(key >>> low) & mask]++;
      }
    let digit = 0;
    while (digit < mask && left > counts[digit]) left -= counts[digit++];
    known = ((known << bits) | digit) >>> 0;
  }
  return { key: known, equals: left };
}

function bitsOf({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}

/** The bits of a float as an unsigned number whose order is that of the values. */
function keyOf(bits: number): number {
  if ((bits & MAGNITUDE) > INFINITY_BITS) return 0xffff_ffff;
  if (bits === NEGATIVE_ZERO) return 0x8000_0000;
  return (bits ^ ((bits >> 31) | NEGATIVE_ZERO)) >>> 0;
}
