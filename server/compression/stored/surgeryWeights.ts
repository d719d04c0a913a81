/** @file Dynamic Network Surgery (Guo et al. 2016): a mask over weights that all train on, so that those it cuts can return. */
import type * as z from 'zod';
import { Random } from '../../formats/random.ts';
import { surgerySettings } from '../../protocol/experiment/schema/compression.ts';
import { clearUnmarked } from '../marks.ts';
import type { CompressibleWeight } from '../targets/targets.ts';
import { KeptMarks, WeightsWithMarks } from './keptMarks.ts';
import type { Projection } from './storedWeights.ts';

/** The random number of step t is the first of stream `STREAM + t`, between those of initial weights and of random tensors. */
const STREAM = 1.5 * 2 ** 40;

/**
 * The model computes with W * M, and the update goes to all of W (Guo et al., equation (2)). Before a step from t_i to t_f, with
 * the chance `(1 + gamma (t - t_i))^-power`, the mask is chosen anew: what is clearly below the threshold is cut, what is clearly above it
 * returns. Between two steps the weights themselves are whole, so that a checkpoint needs the masks alone besides.
 */
export class SurgeryWeights extends WeightsWithMarks<Mask> {
  readonly #settings: z.output<typeof surgerySettings>;
  #isMasked = false;
  #isFinished = false;

  constructor(projection: Projection) {
    super(projection, Mask);
    const settings = projection.settings();
    this.#settings = surgerySettings.parse('surgery' in settings ? (settings.surgery ?? {}) : {});
  }

  override beforeStep(step: number): void {
    if (this.#isFinished || step < this.projection.from()) return;
    if (this.#isRefreshed(step)) this.#refresh(step);
    this.#mask();
  }

  override beforeEvaluation(): void {
    if (!this.#isFinished) this.#mask();
  }

  override pull(): void {
    this.afterEvaluation();
  }

  override afterEvaluation(): void {
    if (!this.#isMasked) return;
    for (const mask of this.masks.values()) mask.undo();
    this.#isMasked = false;
  }

  /** The mask as it is at the end, and the weights that it leaves above the rate. */
  override async distort(step: number): Promise<void> {
    for (const { weight, kept } of this.masks.values()) clearUnmarked(weight.values, kept);
    await super.distort(step);
    this.#isFinished = true;
  }

  override undistorted(): Float32Array[] {
    return Array.from(this.masks.values(), ({ weight, kept }) => {
      const values = weight.values.slice();
      clearUnmarked(values, kept);
      return values;
    });
  }

  #isRefreshed(step: number): boolean {
    const { gamma, power } = this.#settings;
    const { schedule } = this.projection.settings();
    if (schedule && 'to' in schedule && step > schedule.to) return false;
    const chance = (1 + gamma * (step - this.projection.from())) ** -power;
    return new Random(this.projection.seed, STREAM + step).uniform() < chance;
  }

  #refresh(step: number): void {
    for (const unit of this.projection.units()) {
      const masks = unit.targets.map(({ weight }) => this.masks.get(weight.name)!);
      const before = masks.map(({ kept }) => kept);
      unit.splice!(this.projection.valuesOf(unit), step, before).forEach((kept, i) => masks[i].kept.set(kept));
    }
  }

  #mask(): void {
    if (this.#isMasked) return;
    for (const mask of this.masks.values()) mask.apply();
    this.#isMasked = true;
  }
}

class Mask extends KeptMarks {
  readonly #whole: Float32Array;

  constructor(weight: CompressibleWeight) {
    super(weight);
    this.#whole = new Float32Array(weight.values.length);
  }

  apply(): void {
    this.#whole.set(this.weight.values);
    clearUnmarked(this.weight.values, this.kept);
  }

  undo(): void {
    this.weight.values.set(this.#whole);
  }
}
