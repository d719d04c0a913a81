/** @file Low-rank approximation as a compression method. */
import { DenseWeight } from '../../../formats/packed/dense.ts';
import { FactorsWeight, multiplyFactors } from '../../../formats/packed/factors.ts';
import { SettingError } from '../../../protocol/experiment/settingError.ts';
import type { LowRankParameters } from '../../../protocol/experiment/schema/compression.ts';
import { storedMatrix, storedShape, storedView, viewOfWeight, type ViewedWeight } from '../../targets/matrixView.ts';
import type { CompressedSize } from '../../size.ts';
import { matchTargets, type NamedWeight, type Target } from '../../targets/targets.ts';
import type {
  CompressedWeight,
  CompressionState,
  Distortion,
  FactoredWeight,
  FactorShapes,
  MethodRow,
  PredictedSize,
  Unit,
} from '../unit.ts';
import { diverged } from './diverged.ts';
import { truncateRank, truncateShared } from './lowRank.ts';
import { NO_PARTNER_REMEDY, projectionUnits, withoutPartner } from './sharedProjection.ts';
import { areFactorsFewer, factoredSizes } from './size.ts';

/**
 * Every so many distortions, and at the last, an approximation is computed from the start; the others begin with the last one's
 * basis, which is a fraction of the work. `updateTruncation` says how near the optimum these come; that nothing adds up from
 * one to the next is a precaution, at a few milliseconds a distortion.
 */
const REFRESH_EVERY = 10;

export const lowRank: MethodRow<'low-rank'> = {
  createUnits({ layers, distortEvery }, weights, { steps }) {
    const units = projectionUnits(matchTargets(layers, weights));
    for (const [target] of units) checkRank(target);
    const [alone] = withoutPartner(units);
    if (alone)
      throw new SettingError(
        ['layers', alone.key, 'sharedProjection'],
        `${alone.weight.name} has no partner with the same rank to share a projection with`,
        { remedy: NO_PARTNER_REMEDY },
      );
    const isRefresh = (step: number) => step === steps || step % (REFRESH_EVERY * distortEvery) === 0;
    return units.map((targets) => new LowRankUnit(targets, isRefresh, steps));
  },

  predictSizes(targets) {
    const ranked = targets.map(({ weight, parameters }) => ({ weight, key: weight.name, parameters }));
    const sizes = new Map(
      projectionUnits(ranked).flatMap((unit) => {
        const views = unit.map(({ weight }) => viewOfWeight(weight));
        const { rank } = unit[0].parameters;
        const ofUnit = factoredSizes(views, rank);
        const fewer = areFactorsFewer(views, rank);
        return unit.map(({ weight }, i): [NamedWeight, PredictedSize] => {
          if (!fewer) return [weight, { ...ofUnit[i], left: { tensors: [weight], otherBits: 0 } }];
          const { rows, columns } = storedShape(views[i]);
          const [left, right] = [factor([rows, rank], 'kernel'), factor([rank, columns], 'embeddings')];
          const tensors = (i === 0 ? [left, right] : [right]).map((tensor) => ({ ...weight, ...tensor }));
          return [weight, { ...ofUnit[i], left: { tensors, otherBits: 0 } }];
        });
      }),
    );
    return targets.map(({ weight }) => sizes.get(weight)!);
  },
};

/** A factor as a weight that has a row for each of the `rank` products which make up the matrix. */
function factor(shape: readonly number[], weight: 'kernel' | 'embeddings'): ViewedWeight {
  return { shape, weight, layerClass: undefined, outputAxis: undefined, channelAxis: undefined };
}

class LowRankUnit implements Unit {
  readonly targets: readonly Target<LowRankParameters>[];
  readonly factors: FactorShapes;
  readonly #rank: number;
  readonly #isRefresh: (step: number) => boolean;
  readonly #lastStep: number;
  /** What the last truncation left for the next to start from. */
  #basis: Float32Array | undefined;

  /** @param targets a weight, or a recurrent kernel and the kernels that share its projection */
  constructor(targets: readonly Target<LowRankParameters>[], isRefresh: (step: number) => boolean, lastStep: number) {
    this.targets = targets;
    this.#rank = targets[0].parameters.rank;
    this.#isRefresh = isRefresh;
    this.#lastStep = lastStep;
    const shapes = targets.map(({ view }) => storedShape(view));
    this.factors = {
      left: [shapes[0].rows, this.#rank],
      rights: shapes.map(({ columns }) => [this.#rank, columns] as const),
    };
  }

  settingAt(): { rank: number } {
    return { rank: this.#rank };
  }

  async distort(values: readonly Float32Array[], { step, remember }: Distortion): Promise<FactoredWeight[]> {
    const basis = this.#isRefresh(step) ? undefined : this.#basis;
    const forms = await this.#truncate(values, basis);
    if (remember) this.#basis = forms[0].basis;
    // What is evaluated at the end is what a file of the factors gives on every machine; ONNX Runtime's products round as it likes.
    if (step === this.#lastStep)
      forms.forEach((form, i) => multiplyFactors(form, storedView(this.targets[i].view), values[i]));
    return forms;
  }

  async #truncate(values: readonly Float32Array[], basis: Float32Array | undefined): Promise<FactoredWeight[]> {
    const [{ weight, view }] = this.targets;
    try {
      if (values.length === 1) return [await truncateRank(values[0], view, this.#rank, basis)];
      const [recurrent, ...kernels] = this.targets.map((target, i) => storedMatrix(values[i], target.view));
      return await truncateShared(recurrent, kernels, this.#rank, basis);
    } catch (error) {
      throw error instanceof RangeError ? diverged(weight.name, error) : error;
    }
  }

  sizes(): CompressedSize[] {
    return factoredSizes(
      this.targets.map(({ view }) => view),
      this.#rank,
    );
  }

  packed(
    values: readonly Float32Array[],
    compressed: readonly (CompressedWeight | undefined)[],
  ): (DenseWeight | FactorsWeight)[] {
    const fewer = areFactorsFewer(
      this.targets.map(({ view }) => view),
      this.#rank,
    );
    const [first] = this.targets;
    return this.targets.map(({ weight, view }, i) => {
      const form = compressed[i];
      if (!fewer || form?.form !== 'factors') return new DenseWeight(weight.shape, values[i]);
      const factors = i === 0 ? form : { ...form, leftOf: first.weight.name };
      return new FactorsWeight(weight.shape, storedView(view), this.#rank, factors);
    });
  }

  get state(): CompressionState {
    return this.#basis === undefined ? {} : { [this.#key]: this.#basis };
  }

  restore(state: CompressionState): void {
    const basis = state[this.#key];
    // A basis of another rank is no start for the next truncation.
    if (basis instanceof Float32Array && basis.length === this.#basisLength) this.#basis = basis.slice();
  }

  get #key(): string {
    return `basis:${this.targets[0].weight.name}`;
  }

  get #basisLength(): number {
    const { rows, columns } = storedShape(this.targets[0].view);
    return this.#rank * Math.min(rows, columns);
  }
}

function checkRank({ weight, view, key, parameters }: Target<LowRankParameters>): void {
  const { rows, columns } = storedShape(view);
  const limit = Math.min(rows, columns);
  if (parameters.rank <= limit) return;
  throw new SettingError(
    ['layers', key, 'rank'],
    `${weight.name} is a [${rows}, ${columns}] matrix: expected at most ${limit}, got ${parameters.rank}`,
    { remedy: 'Lower the rank.' },
  );
}
