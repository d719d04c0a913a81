/** @file Gradual pruning with a mask (Zhu & Gupta 2017). */
import type { CompressionState } from '../methods/unit.ts';
import type { CompressibleWeight } from '../targets/targets.ts';
import { KeptMarks, WeightsWithMarks } from './keptMarks.ts';
import { restoreArrays, type Projection } from './storedWeights.ts';

/**
 * A distortion chooses a mask M; the weights hold W * M, masked entries receive no update, and their last values return
 * for the choice of the next mask. Once the mask has reached its target rate it is not changed any more.
 */
export class MaskedWeights extends WeightsWithMarks<Mask> {
  constructor(projection: Projection) {
    super(projection, Mask);
  }

  override get state(): CompressionState {
    return Object.assign({}, ...Array.from(this.masks.values(), ({ state }) => state)) as CompressionState;
  }

  override restore(state: CompressionState): void {
    for (const mask of this.masks.values()) mask.restore(state);
  }

  override pull(): void {
    for (const mask of this.masks.values()) if (mask.weight.gradient) mask.clear(mask.weight.gradient);
  }

  /** Undoes what momentum or weight decay did to masked entries. */
  override push(): void {
    this.clearUnkept();
  }

  override async distort(step: number): Promise<void> {
    if (this.#isFinal()) return;
    for (const mask of this.masks.values()) mask.wake();
    const kept = this.projection.units().map((unit) => unit.kept!(this.projection.valuesOf(unit), step));
    await super.distort(step);
    this.projection
      .units()
      .forEach((unit, i) =>
        unit.targets.forEach(({ weight }, j) => this.masks.get(weight.name)!.choose(kept[i][j], unit.zerosAt!(step))),
      );
  }

  override undistorted(): Float32Array[] {
    const isFinal = this.#isFinal();
    return [...this.masks.values()].map((mask) => (isFinal ? mask.weight.values.slice() : mask.woken()));
  }

  /** True once every mask has the target rate of the settings in effect: when a user changes it, masks are chosen again. */
  #isFinal(): boolean {
    return this.projection.units().every((unit) => {
      const target = unit.zerosAt!(this.projection.steps);
      return unit.targets.every(({ weight }) => this.masks.get(weight.name)!.isChosenFor(target));
    });
  }
}

class Mask extends KeptMarks {
  /** The weights when the mask was chosen; those of masked entries are dormant. */
  readonly #dormant: Float32Array;
  /** Entries that the distortion was to make zero when the mask was chosen, of all weights of its unit. */
  readonly #zeros = new Float32Array(1);

  constructor(weight: CompressibleWeight) {
    super(weight);
    this.#dormant = new Float32Array(weight.values.length);
  }

  isChosenFor(zeros: number): boolean {
    return this.#zeros[0] === Math.fround(zeros);
  }

  get state(): CompressionState {
    const { name } = this.weight;
    return { [`${name}/mask`]: this.kept, [`${name}/dormant`]: this.#dormant, [`${name}/zeros`]: this.#zeros };
  }

  restore(state: CompressionState): void {
    const { name } = this.weight;
    const { [`${name}/zeros`]: zeros, ...arrays } = this.state;
    restoreArrays(state, Object.entries(arrays));
    // A checkpoint of an earlier version has no number: its masks are of one weight each, and as full as they were to be.
    const masked = this.kept.reduce((sum, kept) => sum + 1 - kept, 0);
    zeros[0] = state[`${name}/zeros`]?.[0] ?? masked;
  }

  /** The values, those of masked entries as they were when they were masked. */
  woken(): Float32Array {
    return this.weight.values.map((value, i) => (this.kept[i] === 0 ? this.#dormant[i] : value));
  }

  /** Gives masked entries their dormant values back, and remembers all values. */
  wake(): void {
    const { values } = this.weight;
    for (let i = 0; i < values.length; i++) if (this.kept[i] === 0) values[i] = this.#dormant[i];
    this.#dormant.set(values);
  }

  /** @param zeros see {@link isChosenFor} */
  choose(kept: Uint8Array, zeros: number): void {
    this.kept.set(kept);
    this.#zeros[0] = zeros;
  }

  override clear(array: Float32Array): void {
    if (this.#zeros[0] > 0) super.clear(array);
  }
}
