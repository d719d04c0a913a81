/**
 * @file What becomes of a stored weight under a compression policy: it is replaced by its compressed form, masked, or
 * kept in full precision while the model computes with its compressed form.
 */
import { prunedCount } from '../methods/prune/rate.ts';
import type { CompressedWeight } from '../methods/index.ts';
import type { Target } from '../targets/targets.ts';

/** State that a checkpoint must hold besides the weights, by key. */
export type CompressionState = Record<string, Float32Array | Uint8Array>;

/** What {@link StoredWeights} need of the method. */
export interface Projection {
  readonly targets: readonly Target<unknown>[];
  /** The targets as they are compressed, together or each alone. */
  readonly units: readonly (readonly Target<unknown>[])[];
  /** Replaces all targets by their compressed form at a step, in place. */
  project(step: number): Promise<void>;
  /** The same, but leaves no trace in what later projections depend on. */
  projectForEvaluation(step: number): Promise<void>;
  /** The compressed form of a target, as {@link project} left it last. */
  formOf(target: Target<unknown>): CompressedWeight | undefined;
  /** Pruning rate of a target at a step, and at the end. */
  rateAt(target: Target<unknown>, step: number): number;
  targetRate(target: Target<unknown>): number;
  /** First step at which the compression acts. */
  readonly from: number;
}

/** One way to treat the stored weights; the hooks are those of `Compressor`. */
export interface StoredWeights {
  beforeStep(step: number): void | Promise<void>;
  beforeEvaluation(step: number): void | Promise<void>;
  afterEvaluation(): void;
  beforeUpdate(): void | Promise<void>;
  afterUpdate(): void | Promise<void>;
  distort(step: number): Promise<void>;
  /** Copies of the targets' values that a distortion would begin with. */
  undistorted(): Float32Array[];
  readonly state: CompressionState;
  restore(state: CompressionState): void;
}

/** A distortion replaces the weights, and they train on from there (DeepTwist). */
export class ReplacedWeights implements StoredWeights {
  readonly state = {};
  readonly #projection: Projection;

  constructor(projection: Projection) {
    this.#projection = projection;
  }

  beforeStep(): void {}
  beforeEvaluation(): void {}
  afterEvaluation(): void {}
  beforeUpdate(): void {}
  afterUpdate(): void {}
  restore(): void {}

  distort(step: number): Promise<void> {
    return this.#projection.project(step);
  }

  undistorted(): Float32Array[] {
    return this.#projection.targets.map(({ weight }) => weight.values.slice());
  }
}

/**
 * A distortion chooses a mask M; the weights hold W * M, masked entries receive no update, and their last values return
 * for the choice of the next mask. Once the mask has reached its target rate it is not changed any more (Zhu & Gupta 2017).
 */
export class MaskedWeights implements StoredWeights {
  readonly #projection: Projection;
  readonly #masks: readonly Mask[];

  constructor(projection: Projection) {
    this.#projection = projection;
    this.#masks = projection.targets.map((target) => new Mask(target));
  }

  get state(): CompressionState {
    return Object.assign({}, ...this.#masks.map((mask) => mask.state)) as CompressionState;
  }

  restore(state: CompressionState): void {
    for (const mask of this.#masks) mask.restore(state);
  }

  beforeStep(): void {}
  beforeEvaluation(): void {}
  afterEvaluation(): void {}

  beforeUpdate(): void {
    for (const mask of this.#masks) mask.clear(mask.target.weight.gradient);
  }

  /** Undoes what momentum or weight decay did to masked entries. */
  afterUpdate(): void {
    for (const mask of this.#masks) mask.clear(mask.target.weight.values);
  }

  async distort(step: number): Promise<void> {
    if (this.#isFinal()) return;
    for (const mask of this.#masks) mask.wake();
    await this.#projection.project(step);
    for (const mask of this.#masks) mask.choose(this.#projection.rateAt(mask.target, step));
  }

  undistorted(): Float32Array[] {
    return this.#masks.map((mask) => (this.#isFinal() ? mask.target.weight.values.slice() : mask.woken()));
  }

  /** Of the target rate as it is now: where a user changes it, masks that were final are chosen anew. */
  #isFinal(): boolean {
    return this.#masks.every(
      (mask) => mask.masked === prunedCount(this.#projection.targetRate(mask.target), mask.size),
    );
  }
}

class Mask {
  readonly target: Target<unknown>;
  /** 1 where the weight is kept. */
  readonly #kept: Uint8Array;
  /** The weights when the mask was chosen; those of masked entries are dormant. */
  readonly #dormant: Float32Array;
  #masked = 0;

  constructor(target: Target<unknown>) {
    this.target = target;
    this.#kept = new Uint8Array(target.weight.values.length).fill(1);
    this.#dormant = new Float32Array(target.weight.values.length);
  }

  get size(): number {
    return this.#kept.length;
  }

  get masked(): number {
    return this.#masked;
  }

  get state(): CompressionState {
    const { name } = this.target.weight;
    return { [`${name}/mask`]: this.#kept, [`${name}/dormant`]: this.#dormant };
  }

  restore(state: CompressionState): void {
    for (const [key, array] of Object.entries(this.state)) {
      const saved = state[key];
      if (saved?.length !== array.length) throw new RangeError(`The checkpoint holds no "${key}" of ${array.length}.`);
      array.set(saved);
    }
    this.#masked = this.#kept.reduce((masked, kept) => masked + 1 - kept, 0);
  }

  /** The values, those of masked entries as they were when they were masked. */
  woken(): Float32Array {
    return this.target.weight.values.map((value, i) => (this.#kept[i] === 0 ? this.#dormant[i] : value));
  }

  /** Gives masked entries their dormant values back, and remembers all values. */
  wake(): void {
    const { values } = this.target.weight;
    for (let i = 0; i < values.length; i++) if (this.#kept[i] === 0) values[i] = this.#dormant[i];
    this.#dormant.set(values);
  }

  /** Masks what was pruned: the first zeros, as many as the rate makes (a zero that was not pruned stays in training). */
  choose(rate: number): void {
    const { values } = this.target.weight;
    this.#masked = prunedCount(rate, values.length);
    let left = this.#masked;
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

/**
 * The model computes with the compressed form at every step, and the update goes to the weights in full precision
 * (straight-through); the last distortion makes the compressed form final.
 */
export class ShadowedWeights implements StoredWeights {
  /** Empty: between two steps the weights themselves are in full precision. */
  readonly state = {};
  readonly #projection: Projection;
  readonly #shadows: readonly Float32Array[];
  #projected = false;
  #finished = false;

  constructor(projection: Projection) {
    this.#projection = projection;
    this.#shadows = projection.targets.map(({ weight }) => new Float32Array(weight.values.length));
  }

  async beforeStep(step: number): Promise<void> {
    if (this.#shadow(step)) await this.#projection.project(step);
  }

  async beforeEvaluation(step: number): Promise<void> {
    if (this.#shadow(step)) await this.#projection.projectForEvaluation(step);
  }

  /** Remembers the weights in full precision. @returns whether the model computes with compressed ones at this step */
  #shadow(step: number): boolean {
    if (this.#finished || this.#projected || step < this.#projection.from) return false;
    this.#projection.targets.forEach(({ weight }, i) => this.#shadows[i].set(weight.values));
    this.#projected = true;
    return true;
  }

  beforeUpdate(): void {
    this.afterEvaluation();
  }

  afterEvaluation(): void {
    if (!this.#projected) return;
    this.#projection.targets.forEach(({ weight }, i) => weight.values.set(this.#shadows[i]));
    this.#projected = false;
  }

  afterUpdate(): void {}
  restore(): void {}

  async distort(step: number): Promise<void> {
    await this.#projection.project(step);
    this.#finished = true;
  }

  undistorted(): Float32Array[] {
    return this.#projection.targets.map(({ weight }) => weight.values.slice());
  }
}
