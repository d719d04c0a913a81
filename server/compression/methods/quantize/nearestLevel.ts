/** @file Rounding to the nearest of a few levels that may lie anywhere. */
import { levelCount, levelsOfBucket, type LevelForm } from './levelForm.ts';

/**
 * Replaces each number by the nearest level of its bucket, in place, by the upper one in the middle. Not-a-number stays, so that it
 * shows that training has diverged.
 *
 * @param values in the order of the form's matrix
 */
export function roundToTable(values: Float32Array, form: LevelForm): void {
  const search = new NearestLevel(levelCount(form));
  for (let start = 0, bucket = 0; start < values.length; start += form.bucket, bucket++) {
    const levels = levelsOfBucket(form, bucket);
    search.among(levels);
    const end = Math.min(start + form.bucket, values.length);
    for (let i = start; i < end; i++) {
      const value = values[i];
      if (value === value) values[i] = levels[search.codeOf(value)];
    }
  }
}

/** Finds the nearest of a number of levels. */
export class NearestLevel {
  /** Between each two levels; filled up with infinities, so that they are one less than a power of two. */
  readonly #midpoints: Float64Array;

  constructor(levels: number) {
    this.#midpoints = new Float64Array(2 ** Math.ceil(Math.log2(levels)) - 1).fill(Infinity);
  }

  /** Levels to search from now on. @param levels ascending */
  among(levels: Float32Array): void {
    for (let i = 1; i < levels.length; i++) this.#midpoints[i - 1] = (levels[i - 1] + levels[i]) / 2;
  }

  /** The code of the nearest level, the upper one in the middle. */
  codeOf(value: number): number {
    const midpoints = this.#midpoints;
    let code = 0;
    // A comparison as a number: which level is the nearest is random, and a branch would be mispredicted half of the time.
    for (let half = (midpoints.length + 1) >> 1; half > 0; half >>= 1)
      code += half * +(value >= midpoints[code + half - 1]);
    return code;
  }
}
