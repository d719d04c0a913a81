/** @file Straight-through training: full precision is stored, and the model computes with the compressed form. */
import { Shadows } from './shadows.ts';
import { PlainWeights, type Projection } from './storedWeights.ts';

/**
 * The model computes with the compressed form at every step, and the update goes to the weights in full precision; the last
 * distortion makes the compressed form final. Between two steps the weights themselves are in full precision, so that a checkpoint
 * needs nothing else.
 */
export class ShadowedWeights extends PlainWeights {
  readonly #shadows: Shadows;
  #finished = false;

  constructor(projection: Projection) {
    super(projection);
    this.#shadows = new Shadows(projection.weights);
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
    return !this.#finished && step >= this.projection.from() && this.#shadows.take();
  }

  override pull(): void {
    if (this.#shadows.areTaken) this.#pullBack();
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
        if (gradient && form) pullBack?.({ gradient, full: this.#shadows.copies[i], compressed: values }, form);
      }
  }

  override afterEvaluation(): void {
    this.#shadows.putBack();
  }

  override async distort(step: number): Promise<void> {
    await super.distort(step);
    this.#finished = true;
  }
}
