/** @file Dynamic Network Surgery (Guo et al. 2016): a mask over weights that all train on, so that those it cuts can return. */
import type * as z from 'zod';
import { Random } from '../../formats/random.ts';
import { surgerySettings } from '../../protocol/experiment/schema/compression.ts';
import { KeptMarks, WeightsWithMarks } from './keptMarks.ts';
import { Shadows } from './shadows.ts';
import type { Projection } from './storedWeights.ts';

/** The random number of step t is the first of stream `STREAM + t`, between those of initial weights and of random tensors. */
const STREAM = 1.5 * 2 ** 40;

/**
 * The model computes with W * M, and the update goes to all of W (Guo et al., equation (2)). Before a step from t_i to t_f, with
 * the chance `(1 + gamma (t - t_i))^-power`, the mask is chosen anew: what is clearly below the threshold is cut, what is clearly above it
 * returns. Between two steps the weights themselves are whole, so that a checkpoint needs the masks alone besides.
 */
export class SurgeryWeights extends WeightsWithMarks<KeptMarks> {
  readonly #settings: z.output<typeof surgerySettings>;
  readonly #shadows: Shadows;
  #isFinished = false;

  constructor(projection: Projection) {
    super(projection, KeptMarks);
    this.#shadows = new Shadows(projection.weights);
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
    this.#shadows.putBack();
  }

  /** The mask as it is at the end, and the weights that it leaves above the rate. */
  override async distort(step: number): Promise<void> {
    this.clearUnkept();
    await super.distort(step);
    this.#isFinished = true;
  }

  override undistorted(): Float32Array[] {
    return Array.from(this.masks.values(), (mask) => {
      const values = mask.weight.values.slice();
      mask.clear(values);
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
    if (this.#shadows.take()) this.clearUnkept();
  }
}
