/** @file Gradual pruning with a mask (Zhu & Gupta 2017). */
import type { CompressionState } from '../methods/unit.ts';
import type { CompressibleWeight } from '../targets/targets.ts';
import { PlainWeights, restoreArrays, type Projection } from './storedWeights.ts';

/**
 * A distortion chooses a mask M; the weights hold W * M, masked entries receive no update, and their last values return
 * for the choice of the next mask. Once the mask has reached its target rate it is not changed any more.
 */
export class MaskedWeights extends PlainWeights {
  readonly #masks: readonly Mask[];

  constructor(projection: Projection) {
    super(projection);
    this.#masks = projection.weights.map((weight) => new Mask(weight));
  }

  override get state(): CompressionState {
    return Object.fromEntries(this.#masks.flatMap((mask) => Object.entries(mask.state)));
  }

  override restore(state: CompressionState): void {
    for (const mask of this.#masks) mask.restore(state);
  }

  override pull(): void {
    for (const mask of this.#masks) mask.clear(mask.weight.gradient);
  }

  /** Undoes what momentum or weight decay did to masked entries. */
  override push(): void {
    for (const mask of this.#masks) mask.clear(mask.weight.values);
  }

  override async distort(step: number): Promise<void> {
    if (this.#isFinal()) return;
    for (const mask of this.#masks) mask.wake();
    await super.distort(step);
    const zeros = this.#zerosAt(step);
    for (const mask of this.#masks) mask.choose(zeros(mask.weight));
  }

  override undistorted(): Float32Array[] {
    return this.#masks.map((mask) => (this.#isFinal() ? mask.weight.values.slice() : mask.woken()));
  }

  /** True once every mask has the target rate of the settings in effect: when a user changes it, masks are chosen again. */
  #isFinal(): boolean {
    const zeros = this.#zerosAt(this.projection.steps);
    return this.#masks.every((mask) => mask.masked === zeros(mask.weight));
  }

  /** Tells how many entries of a weight are masked after a step. */
  #zerosAt(step: number): (weight: CompressibleWeight) => number {
    const zeros = new Map(
      this.projection
        .units()
        .flatMap((unit) => unit.targets.map(({ weight }) => [weight.name, unit.zerosAt?.(step) ?? 0] as const)),
    );
    return ({ name }) => zeros.get(name) ?? 0;
  }
}

class Mask {
  readonly weight: CompressibleWeight;
  /** 1 where the weight is kept. */
  readonly #kept: Uint8Array;
  /** The weights when the mask was chosen; those of masked entries are dormant. */
  readonly #dormant: Float32Array;
  #masked = 0;

  constructor(weight: CompressibleWeight) {
    this.weight = weight;
    this.#kept = new Uint8Array(weight.values.length).fill(1);
    this.#dormant = new Float32Array(weight.values.length);
  }

  get masked(): number {
    return this.#masked;
  }

  get state(): CompressionState {
    const { name } = this.weight;
    return { [`${name}/mask`]: this.#kept, [`${name}/dormant`]: this.#dormant };
  }

  restore(state: CompressionState): void {
    restoreArrays(state, Object.entries(this.state));
    this.#masked = this.#kept.reduce((masked, kept) => masked + 1 - kept, 0);
  }

  /** The values, those of masked entries as they were when they were masked. */
  woken(): Float32Array {
    return this.weight.values.map((value, i) => (this.#kept[i] === 0 ? this.#dormant[i] : value));
  }

  /** Gives masked entries their dormant values back, and remembers all values. */
  wake(): void {
    const { values } = this.weight;
    for (let i = 0; i < values.length; i++) if (this.#kept[i] === 0) values[i] = this.#dormant[i];
    this.#dormant.set(values);
  }

  /** Masks what was pruned: the first zeros, as many as were pruned (a zero that was not pruned stays in training). */
  choose(pruned: number): void {
    const { values } = this.weight;
    this.#masked = pruned;
    let left = pruned;
    for (let i = 0; i < values.length; i++) {
      const masked = values[i] === 0 && left > 0;
      if (masked) left--;
      this.#kept[i] = masked ? 0 : 1;
    }
  }

  clear(array: Float32Array | undefined): void {
    if (!array || this.#masked === 0) return;
    // As bits, all of them or none: a branch, which nobody can predict, takes twice as long.
    const bits = new Int32Array(array.buffer, array.byteOffset, array.length);
    for (let i = 0; i < bits.length; i++) bits[i] &= -this.#kept[i];
  }
}
