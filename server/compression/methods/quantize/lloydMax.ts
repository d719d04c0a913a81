/**
 * @file Levels that are fitted to numbers: a start, and then rounds in which each level becomes the mean of the numbers that are
 * nearest to it (Lloyd 1982, Max 1960; k-means in one dimension). Starts and rounds of Deep Compression (Han et al. 2016) and of
 * differentiable quantization (Polino et al. 2018) are among them.
 */
import type { Random } from '../../../formats/random.ts';

export interface FitParameters {
  /**
   * `quantiles`: as many numbers between each two levels (Deep Compression: density-based); `uniform`: equally far apart (linear);
   * `random`: numbers drawn among them (Forgy).
   */
  readonly start: 'quantiles' | 'uniform' | 'random';
  /** Rounds at most; they end when no number changes its level. */
  readonly iterations: number;
}

/**
 * Fits `count` levels, 2 or more, ascending; several are equal where there are fewer different numbers.
 * @param sorted at least one number, ascending
 */
export function fitLevels(
  sorted: Float32Array,
  count: number,
  { start, iterations }: FitParameters,
  random: Random,
): Float32Array {
  const distinct = firstDistinct(sorted, count + 1);
  if (distinct.length <= count) return Float32Array.from({ length: count }, (_, i) => distinct[i] ?? distinct.at(-1)!);
  const levels = startLevels(sorted, count, start, random);
  const cells = new Cells(sorted);
  for (let round = 0; round < iterations; round++) if (!cells.refit(levels)) break;
  return Float32Array.from(levels).sort();
}

/** The levels before the first round. @param sorted at least `count` numbers, ascending */
export function startLevels(
  sorted: Float32Array,
  count: number,
  start: FitParameters['start'],
  random: Random,
): Float64Array {
  return starts[start](sorted, count, random);
}

/** The first of the different numbers, at most `most`. */
function firstDistinct(sorted: Float32Array, most: number): number[] {
  const distinct: number[] = [];
  for (let i = 0; i < sorted.length && distinct.length < most; i++)
    if (i === 0 || sorted[i] !== sorted[i - 1]) distinct.push(sorted[i]);
  return distinct;
}

const starts: Readonly<
  Record<FitParameters['start'], (sorted: Float32Array, count: number, random: Random) => Float64Array>
> = {
  quantiles: (sorted, count) => Float64Array.from({ length: count }, (_, i) => quantile(sorted, i / (count - 1))),
  uniform(sorted, count) {
    const [least, greatest] = [sorted[0], sorted[sorted.length - 1]];
    return Float64Array.from({ length: count }, (_, i) => least + ((greatest - least) * i) / (count - 1));
  },
  random: (sorted, count, random) =>
    Float64Array.from(drawPlaces(sorted.length, count, random), (place) => sorted[place]).sort(),
};

/** Between two numbers, on the straight line between them (as NumPy's `percentile`). */
function quantile(sorted: Float32Array, part: number): number {
  const place = part * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/** Different places below `length`, drawn at random; there are at least as many. */
function drawPlaces(length: number, count: number, random: Random): Set<number> {
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(random.below(length));
  return drawn;
}

/** The numbers that are nearest to each level. */
class Cells {
  readonly #sorted: Float32Array;
  /** Sums of the first numbers: element i is the sum of i of them. */
  readonly #sums: Float64Array;
  #ends: readonly number[] = [];

  constructor(sorted: Float32Array) {
    this.#sorted = sorted;
    this.#sums = new Float64Array(sorted.length + 1);
    for (let i = 0; i < sorted.length; i++) this.#sums[i + 1] = this.#sums[i] + sorted[i];
  }

  /**
   * Makes each level the mean of its numbers; one that has none stays.
   * @returns false where each number has the level that it had after the last call
   */
  refit(levels: Float64Array): boolean {
    const before = this.#ends;
    const ends = Array.from(levels, (level, i) =>
      i + 1 < levels.length ? this.#countBelow((level + levels[i + 1]) / 2) : this.#sorted.length,
    );
    ends.forEach((end, i) => {
      const start = i === 0 ? 0 : ends[i - 1];
      if (end > start) levels[i] = (this.#sums[end] - this.#sums[start]) / (end - start);
    });
    this.#ends = ends;
    return ends.some((end, i) => end !== before[i]);
  }

  #countBelow(bound: number): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle] < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
