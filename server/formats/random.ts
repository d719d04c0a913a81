/**
 * @file Seeded random numbers: xoshiro128** 1.1 (Blackman & Vigna 2018, "Scrambled linear pseudorandom number
 * generators"), whose state comes from (seed, stream) through SplitMix64, as its authors recommend. Nothing has to be
 * stored to resume: the generator of epoch n is `new Random(seed, n)`.
 */

const MASK = 0xffff_ffff_ffff_ffffn;

export class Random {
  readonly #state = new Uint32Array(4);

  /**
   * @param seed non-negative integer
   * @param stream non-negative integer: different streams of one seed are independent, e.g. one an epoch
   */
  constructor(seed: number, stream = 0) {
    const first = splitMix64(BigInt(seed) & MASK);
    let state = (first ^ splitMix64((BigInt(stream) + 1n) & MASK)) & MASK;
    for (let i = 0; i < 4; i += 2) {
      const word = splitMix64(state);
      this.#state[i] = Number(word & 0xffff_ffffn);
      this.#state[i + 1] = Number(word >> 32n);
      state = (state + 0x9e37_79b9_7f4a_7c15n) & MASK;
    }
  }

  /** Uniform in [0, 2^32). */
  uint32(): number {
    const s = this.#state;
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** Uniform in [0, 1), with 53 random bits like Math.random. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) * 2 ** -53;
  }

  /** Uniform integer in [0, bound), without bias: results from the incomplete last interval are drawn again. */
  below(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let draw = this.uint32();
    while (draw >= limit) draw = this.uint32();
    return draw % bound;
  }

  /** Shuffles in place; every order is equally likely (Fisher-Yates). */
  shuffle(items: Uint32Array): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const item = items[i];
      items[i] = items[j];
      items[j] = item;
    }
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The output that SplitMix64 gives from this state (Steele, Lea & Flood 2014). */
function splitMix64(state: bigint): bigint {
  let z = (state + 0x9e37_79b9_7f4a_7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
  return z ^ (z >> 31n);
}
