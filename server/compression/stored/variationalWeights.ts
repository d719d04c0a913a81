/** @file Sparse variational dropout (Molchanov, Ashukha & Vetrov 2017): weights with a variance, of which what is mostly noise is pruned. */
import { variationalSettings } from '../../protocol/experiment/schema/compression.ts';
import type { Compression } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { pruningRateAt } from '../methods/prune/rate.ts';
import type { Unit } from '../methods/unit.ts';
import { Shadows } from './shadows.ts';
import {
  noiseNames,
  PlainWeights,
  untrained,
  type NoisyWeight,
  type Projection,
  type TrainedTensor,
} from './storedWeights.ts';

/** Classes of the layers whose outputs are sums of products with a kernel, so that their noise is one normal number an output. */
const NOISY_LAYERS: ReadonlySet<string> = new Set(['Dense', 'Conv1D', 'Conv2D']);

/** log alpha counts between these alone, so that no gradient comes from weights that are all noise or none. */
export const LOG_ALPHA_RANGE = [-8, 8] as const;

/** Keeps the logarithm of a mean that is zero finite. */
export const SQUARE_FLOOR = 1e-8;

function settingsOf(compression: Compression) {
  return variationalSettings.parse('variationalDropout' in compression ? (compression.variationalDropout ?? {}) : {});
}

/** @throws SettingError for a weight of a layer that is neither dense nor a convolution */
export function noiseOf({ targets }: Unit, compression: Compression): Omit<NoisyWeight, 'path'>[] {
  const { logVariance } = settingsOf(compression);
  return targets.map(({ weight, key }) => {
    if (!NOISY_LAYERS.has(weight.layerClass ?? '') || weight.weight !== 'kernel')
      throw new SettingError(
        ['layers', key],
        `names ${weight.name}, which "variational-dropout" cannot take: it is for dense layers and convolutions`,
        { at: 'key', remedy: 'Leave the layer out, or use another policy.' },
      );
    return { weight, logVariance };
  });
}

interface Distribution {
  /** theta; while an evaluation is made, without what is pruned. */
  readonly values: Float32Array;
  /** log sigma^2. */
  readonly logVariance: Float32Array;
}

/** log alpha = log sigma^2 - log theta^2, in its range. */
function logAlpha(mean: number, logVariance: number): number {
  const [least, greatest] = LOG_ALPHA_RANGE;
  return Math.min(greatest, Math.max(least, logVariance - Math.log(mean * mean + SQUARE_FLOOR)));
}

/**
 * The weights are the means theta; the noise of their distributions is part of the training step, which trains log sigma^2 as well. An
 * evaluation sees the means, those with log alpha above the threshold as zeros, and so does the end. Where nothing is trained there
 * are no variances, and the weights are what they are.
 */
export class VariationalWeights extends PlainWeights {
  readonly #threshold: number;
  readonly #weights: readonly Distribution[];
  readonly #divergenceWeights: readonly Float32Array[];
  readonly #shadows: Shadows;
  #isFinished = false;

  /** @throws SettingError for a weight that is not trained */
  constructor(projection: Projection, tensors: ReadonlyMap<string, TrainedTensor>) {
    super(projection);
    const trained = new Set(projection.weights.flatMap(({ name, gradient }) => (gradient ? [name] : [])));
    for (const target of projection.units().flatMap(({ targets }) => targets))
      if (!trained.has(target.weight.name)) throw untrained('variance', target);
    this.#threshold = settingsOf(projection.settings()).threshold;
    this.#weights = projection.weights.flatMap(({ name, values }) => {
      const logVariance = tensors.get(noiseNames.logVariance(name))?.value;
      return logVariance ? [{ values, logVariance }] : [];
    });
    this.#shadows = new Shadows(this.#weights);
    this.#divergenceWeights = projection.weights.flatMap(
      ({ name }) => tensors.get(noiseNames.divergenceWeight(name))?.value ?? [],
    );
  }

  /** The weight of the divergence rises by the schedule as a pruning rate does: equation (1) with 1 as its target. */
  override beforeStep(step: number): void {
    const { schedule } = this.projection.settings();
    const weight = pruningRateAt(schedule && 'to' in schedule ? schedule : undefined, 1, step);
    for (const array of this.#divergenceWeights) array[0] = weight;
  }

  override beforeEvaluation(): void {
    if (!this.#isFinished && this.#shadows.take()) this.#prune();
  }

  override afterEvaluation(): void {
    this.#shadows.putBack();
  }

  override distort(): Promise<void> {
    this.#prune();
    for (const { name } of this.projection.weights) this.projection.setForm(name, { form: 'sparse' });
    this.#isFinished = true;
    return Promise.resolve();
  }

  override undistorted(): Float32Array[] {
    this.beforeEvaluation();
    const copies = super.undistorted();
    this.afterEvaluation();
    return copies;
  }

  #prune(): void {
    for (const { values, logVariance } of this.#weights)
      values.forEach((mean, i) => {
        if (logAlpha(mean, logVariance[i]) > this.#threshold) values[i] = 0;
      });
  }
}
