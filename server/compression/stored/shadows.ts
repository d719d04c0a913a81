/** @file Copies of weights that are trained, while the model computes with others in their place. */
import type { CompressibleWeight } from '../targets/targets.ts';

/** The copies, and whether they are in use: what is taken once is put back once. */
export class Shadows {
  /** In the order of the weights; what they hold counts while {@link areTaken}. */
  readonly copies: readonly Float32Array[];
  readonly #weights: readonly Pick<CompressibleWeight, 'values'>[];
  #areTaken = false;

  constructor(weights: readonly Pick<CompressibleWeight, 'values'>[]) {
    this.#weights = weights;
    this.copies = weights.map(({ values }) => new Float32Array(values.length));
  }

  get areTaken(): boolean {
    return this.#areTaken;
  }

  /** Copies the weights. @returns false where that has been done, and the weights are others now */
  take(): boolean {
    if (this.#areTaken) return false;
    this.#weights.forEach(({ values }, i) => this.copies[i].set(values));
    this.#areTaken = true;
    return true;
  }

  /** Gives the weights back what was taken, if it was. */
  putBack(): void {
    if (!this.#areTaken) return;
    this.#weights.forEach(({ values }, i) => values.set(this.copies[i]));
    this.#areTaken = false;
  }
}
