/** @file Seeded random numbers for the tests of the compression. */

/** Uniform numbers in [0, 1): mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers (Box & Muller). */
export function normal(seed: number): () => number {
  const random = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Laplace numbers of scale 1, by the inverse of their distribution function. */
export function laplace(seed: number): () => number {
  const random = uniform(seed);
  return () => {
    const u = random() - 0.5;
    return -Math.sign(u) * Math.log(1 - 2 * Math.abs(u));
  };
}

export function normals(length: number, seed: number, deviation = 1): Float32Array {
  const next = normal(seed);
  return Float32Array.from({ length }, () => deviation * next());
}
