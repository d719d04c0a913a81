/**
 * @file Seeded random numbers: xoshiro128** 1.1 (Blackman & Vigna 2018, "Scrambled linear pseudorandom number
 * generators"). Nothing has to be stored to resume: the generator of epoch n is `new Random(seed, n)`.
 */

/** How (seed, stream) become the 128 bits of state. A run keeps the seeding that it began with: see {@link formerState}. */
export type Seeding = 1 | 2;

/** The seeding of new runs. */
export const SEEDING: Seeding = 2;

export class Random {
  readonly #state: Uint32Array;

  /**
   * @param seed non-negative integer
   * @param stream non-negative integer, e.g. one an epoch: no two pairs (seed, stream) have the same state
   */
  constructor(seed: number, stream = 0, seeding: Seeding = SEEDING) {
    this.#state = seeding === 1 ? formerState(seed, stream) : stateOf(seed, stream);
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

/**
 * The state that O'Neill's seed sequence makes of four words, the two of the seed and the two of the stream ("Developing a
 * seed_seq alternative", 2015; NumPy's `SeedSequence`). Every step can be undone for four words, so that different pairs of
 * seed and stream have different states.
 */
function stateOf(seed: number, stream: number): Uint32Array {
  const pool = Uint32Array.of(seed, seed / 2 ** 32, stream, stream / 2 ** 32);
  const hash = hashing(0x43b0_d7e5, 0x931e_8875);
  for (let i = 0; i < 4; i++) pool[i] = hash(pool[i]);
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (to === from) continue;
      const mixed = (Math.imul(pool[to], 0xca01_f9dd) - Math.imul(hash(pool[from]), 0x4973_f715)) >>> 0;
      pool[to] = mixed ^ (mixed >>> 16);
    }
  }
  return pool.map(hashing(0x8b51_f9dd, 0x58f3_8ded));
}

/** The hash of the seed sequence, whose constant changes from word to word. */
function hashing(initial: number, multiplier: number): (word: number) => number {
  let constant = initial;
  return (word) => {
    const before = word ^ constant;
    constant = Math.imul(constant, multiplier);
    const hashed = Math.imul(before, constant) >>> 0;
    return (hashed ^ (hashed >>> 16)) >>> 0;
  };
}

const MASK = 0xffff_ffff_ffff_ffffn;

/**
 * The state in runs that began before checkpoints told the seeding. It is the same for (a, b) and (b + 1, a - 1), so that
 * runs of neighbouring seeds share orders of their samples.
 */
function formerState(seed: number, stream: number): Uint32Array {
  const result = new Uint32Array(4);
  let state = splitMix64(BigInt(seed) & MASK) ^ splitMix64((BigInt(stream) + 1n) & MASK);
  for (let i = 0; i < 4; i += 2) {
    const word = splitMix64(state);
    result[i] = Number(word & 0xffff_ffffn);
    result[i + 1] = Number(word >> 32n);
    state = (state + 0x9e37_79b9_7f4a_7c15n) & MASK;
  }
  return result;
}

/** The output that SplitMix64 gives from this state (Steele, Lea & Flood 2014). */
function splitMix64(state: bigint): bigint {
  let z = (state + 0x9e37_79b9_7f4a_7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
  return z ^ (z >> 31n);
}
