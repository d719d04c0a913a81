/**
 * @file Quantized distillation and differentiable quantization by turns (Polino et al. 2018; the published code alternates epochs of the
 * two): straight-through training of the weights, then training of the points in their place, and so on.
 */
import type { CompressionState } from '../methods/unit.ts';
import { ShadowedWeights } from './shadowedWeights.ts';
import { PlainWeights, type Projection, type TrainedTensor } from './storedWeights.ts';
import { TrainedPoints } from './trainedPoints.ts';

/**
 * From t_i on, S_D steps of one, then S_D steps of the other. In the first, levels are equally far apart between the ends of each bucket, as
 * many as there are points. In the second, points are fitted anew to the weights as these are then; what the points leave of them in
 * the end is what the next straight-through steps go on from.
 */
export class AlternatingPoints extends PlainWeights {
  readonly #shadowed: ShadowedWeights;
  readonly #points: TrainedPoints;

  /** @throws SettingError for a weight that is not trained */
  constructor(projection: Projection, tensors: ReadonlyMap<string, TrainedTensor>) {
    super(projection);
    this.#shadowed = new ShadowedWeights(projection);
    this.#points = new TrainedPoints(projection, tensors);
  }

  override get state(): CompressionState {
    return this.#points.state;
  }

  override restore(state: CompressionState): void {
    this.#points.restore(state);
  }

  override async beforeStep(step: number): Promise<void> {
    const from = Math.max(1, this.projection.from());
    if (step < from) return;
    const { distortEvery } = this.projection.settings();
    const period = Math.floor((step - from) / distortEvery);
    if (period % 2 === 1) return this.#points.beforeStep(step, from + period * distortEvery);
    if (this.#points.isFitted) this.#points.release();
    await this.#current().beforeStep(step);
  }

  override beforeEvaluation(step: number): void | Promise<void> {
    return this.#current().beforeEvaluation(step);
  }

  override afterEvaluation(): void {
    this.#current().afterEvaluation();
  }

  override pull(): void | Promise<void> {
    return this.#current().pull();
  }

  override push(): void | Promise<void> {
    return this.#current().push();
  }

  override distort(step: number): Promise<void> {
    return this.#current().distort(step);
  }

  override undistorted(): Float32Array[] {
    return this.#current().undistorted();
  }

  fullPrecision(name: string): Float32Array | undefined {
    return this.#points.fullPrecision(name);
  }

  /** What treats the weights since the last step, with levels to it. */
  #current(): PlainWeights {
    if (this.#points.isFitted) return this.#points;
    for (const { points = [] } of this.projection.units())
      for (const own of points) own.trained ??= equallySpaced(own.usual);
    return this.#shadowed;
  }
}

/** Points from 0 to 1. */
function equallySpaced(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => i / (count - 1));
}
