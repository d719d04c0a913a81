/** @file Straight-through training: full precision is stored, and the model computes with the compressed form. */
import { PlainWeights, type Projection } from './storedWeights.ts';

/**
 * The model computes with the compressed form at every step, and the update goes to the weights in full precision; the last
 * distortion makes the compressed form final. Between two steps the weights themselves are in full precision, so that a checkpoint
 * needs nothing else.
 */
export class ShadowedWeights extends PlainWeights {
  readonly #shadows: readonly Float32Array[];
  #projected = false;
  #finished = false;

  constructor(projection: Projection) {
    super(projection);
    this.#shadows = projection.weights.map(({ values }) => new Float32Array(values.length));
  }

  override async beforeStep(step: number): Promise<void> {
    const isBetween = (step - 1) % this.projection.every() !== 0;
    if (!isBetween && this.#shadow(step)) await this.projection.project(step);
  }

  override async beforeEvaluation(step: number): Promise<void> {
    if (this.#shadow(step)) await this.projection.projectForEvaluation(step);
  }

  /** Remembers the weights in full precision. @returns whether the model computes with compressed ones at this step */
  #shadow(step: number): boolean {
    if (this.#finished || this.#projected || step < this.projection.from()) return false;
    this.projection.weights.forEach(({ values }, i) => this.#shadows[i].set(values));
    this.#projected = true;
    return true;
  }

  override pull(): void {
    if (this.#projected) this.#pullBack();
    this.afterEvaluation();
  }

  /** Turns gradients at the compressed weights into those at the shadows, where a method knows how. */
  #pullBack(): void {
    const { weights } = this.projection;
    for (const { targets, pullBack } of this.projection.units())
      for (const { weight } of pullBack ? targets : []) {
        const i = weights.findIndex(({ name }) => name === weight.name);
        const { values, gradient } = weights[i];
        const form = this.projection.formOf(weight.name);
        if (gradient && form) pullBack?.({ gradient, full: this.#shadows[i], compressed: values }, form);
      }
  }

  override afterEvaluation(): void {
    if (!this.#projected) return;
    this.projection.weights.forEach(({ values }, i) => values.set(this.#shadows[i]));
    this.#projected = false;
  }

  override async distort(step: number): Promise<void> {
    await super.distort(step);
    this.#finished = true;
  }
}
