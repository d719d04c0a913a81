/** @file Sparse training with regrowth (RigL, Evci et al. 2020): a mask that drops weights and grows as many elsewhere, by their gradients. */
import { regrowthSettings } from '../../protocol/experiment/schema/compression.ts';
import type { Unit } from '../methods/unit.ts';
import type { CompressibleWeight } from '../targets/targets.ts';
import { KeptMarks, WeightsWithMarks } from './keptMarks.ts';
import type { Projection } from './storedWeights.ts';

/**
 * The weights hold W * M, and masked entries receive no update. A distortion at step t leaves the rate as it is, and drops the fraction
 * `f_t = f / 2 (1 + cos(pi (t - t_i) / (t_f - t_i)))` of the entries that are kept, those of least magnitude; where the loss has the
 * greatest gradients among all others, as many begin at zero. From t_f on the mask is what the rate asks for.
 */
export class RegrownWeights extends WeightsWithMarks<Mask> {
  /** f. */
  readonly #fraction: number;
  #step = 0;
  /** True where the masks have the gradients of the step that was done last. */
  #hasGradients = false;

  constructor(projection: Projection) {
    super(projection, Mask);
    const settings = projection.settings();
    this.#fraction = regrowthSettings.parse('regrowth' in settings ? (settings.regrowth ?? {}) : {}).fraction;
  }

  override beforeStep(step: number): void {
    this.#step = step;
  }

  override pull(): void {
    this.#hasGradients = this.projection.isDue(this.#step);
    for (const mask of this.masks.values()) mask.pull(this.#hasGradients);
  }

  /** Undoes what momentum or weight decay did to masked entries. */
  override push(): void {
    this.clearUnkept();
  }

  override distort(step: number): Promise<void> {
    for (const unit of this.projection.units()) this.#regrow(unit, step);
    this.#hasGradients = false;
    return Promise.resolve();
  }

  #regrow(unit: Unit, step: number): void {
    const masks = unit.targets.map(({ weight }) => this.masks.get(weight.name)!);
    const gradients = masks.map((mask) => mask.gradient);
    // The first mask keeps the greatest weights: nothing is masked yet that could grow.
    const isMasked = masks.some(({ kept }) => kept.includes(0));
    const part = isMasked && this.#hasGradients ? this.#partAt(step) : 0;
    unit.regrow!(this.projection.valuesOf(unit), gradients, step, part).forEach((kept, i) => {
      const { weight, kept: marks } = masks[i];
      marks.set(kept);
      masks[i].clear(weight.values);
      this.projection.setForm(weight.name, { form: 'sparse' });
    });
  }

  /** f_t. */
  #partAt(step: number): number {
    const from = this.projection.from();
    const { schedule } = this.projection.settings();
    const to = schedule && 'to' in schedule ? schedule.to : this.projection.steps;
    return step >= to ? 0 : (this.#fraction / 2) * (1 + Math.cos((Math.PI * (step - from)) / (to - from)));
  }
}

class Mask extends KeptMarks {
  /** The gradient of all entries at the step before a distortion. */
  readonly gradient: Float32Array;

  constructor(weight: CompressibleWeight) {
    super(weight);
    this.gradient = new Float32Array(weight.values.length);
  }

  /** Clears the gradient of masked entries. @param notes true where it is kept for a distortion */
  pull(notes: boolean): void {
    const { gradient } = this.weight;
    if (!gradient) return;
    if (notes) this.gradient.set(gradient);
    this.clear(gradient);
  }
}
