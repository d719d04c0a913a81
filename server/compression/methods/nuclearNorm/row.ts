/** @file The nuclear norm as a compression method: proximal steps that take a threshold off all singular values. */
import { DenseWeight } from '../../../formats/packed/dense.ts';
import { FactorsWeight } from '../../../formats/packed/factors.ts';
import type { PackedWeight } from '../../../formats/packed/packedFile.ts';
import { SparseWeight } from '../../../formats/packed/sparse.ts';
import { thresholdOf } from '../../../protocol/experiment/proximalSteps.ts';
import { denseSize, type CompressedSize } from '../../size.ts';
import { storedView } from '../../targets/matrixView.ts';
import { matchTargets, type Target } from '../../targets/targets.ts';
import { diverged } from '../lowRank/diverged.ts';
import { areFactorsFewer, factoredSizes } from '../lowRank/size.ts';
import { predictedDense } from '../predictedDense.ts';
import { sparseSize } from '../prune/size.ts';
import {
  stateless,
  type CompressedWeight,
  type CompressionOf,
  type Distortion,
  type Measured,
  type MethodRow,
  type ParametersOf,
  type Unit,
} from '../unit.ts';
import { factorize, factorsByEnergy, rankOf, shrinkSingularValues, type KeptEnergy } from './nuclearNorm.ts';

type Settings = Pick<CompressionOf<'nuclear-norm'>, 'threshold' | 'energy' | 'energyOf'>;
type NuclearTarget = Target<ParametersOf<'nuclear-norm'>>;

export const nuclearNorm: MethodRow<'nuclear-norm'> = {
  createUnits: ({ layers, ...settings }, weights) =>
    matchTargets(layers, weights).map((target) => new NuclearNormUnit(target, settings)),
  /** The rank is found by training: the size is that of the dense weight. */
  predictSizes: predictedDense,
};

class NuclearNormUnit implements Unit {
  readonly targets: readonly [NuclearTarget];
  readonly state = stateless.state;
  readonly restore = stateless.restore;
  readonly #settings: Settings;
  /** What the last distortion left, or the factors that it came to at the end. */
  #form: CompressedWeight | undefined;
  #measured: readonly Measured[] | undefined;

  constructor(target: NuclearTarget, settings: Settings) {
    this.targets = [target];
    this.#settings = settings;
  }

  settingAt(): { tau: number } {
    return { tau: this.targets[0].parameters.tau };
  }

  get measured(): readonly Measured[] | undefined {
    return this.#measured;
  }

  thresholdAt(learningRate: number): number {
    return thresholdOf(this.targets[0].parameters.tau, this.#settings.threshold, learningRate);
  }

  async distort([values]: readonly Float32Array[], { learningRate }: Distortion): Promise<CompressedWeight[]> {
    const threshold = this.thresholdAt(learningRate);
    const left = await this.#named(() => shrinkSingularValues(values, this.targets[0].view, threshold));
    this.#measured = [
      {
        nuclearNorm: {
          rank: left.after.length,
          before: sumOf(left.before),
          after: sumOf(left.after),
          largest: left.before[0],
          threshold,
        },
      },
    ];
    return [(this.#form = factorsByEnergy(left, this.#kept))];
  }

  async settle([values]: readonly Float32Array[]): Promise<CompressedWeight[]> {
    return [(this.#form = await this.#named(() => factorize(values, this.targets[0].view, this.#kept)))];
  }

  /** By the rank that the last distortion left: the weight may have been changed by a later compression since. */
  sizes([values]: readonly Float32Array[]): CompressedSize[] {
    const [{ view }] = this.targets;
    switch (this.#form?.form) {
      case 'factors':
        return factoredSizes([view], rankOf(this.#form, view));
      case 'sparse':
        return [sparseSize(values)];
      default:
        return [denseSize(values.length)];
    }
  }

  packed(
    [values]: readonly Float32Array[],
    [compressed]: readonly (CompressedWeight | undefined)[],
  ): readonly PackedWeight[] {
    const [{ weight, view }] = this.targets;
    if (compressed?.form === 'sparse') return [SparseWeight.of(weight.shape, values)];
    if (compressed?.form !== 'factors') return [new DenseWeight(weight.shape, values)];
    const rank = rankOf(compressed, view);
    return areFactorsFewer([view], rank)
      ? [new FactorsWeight(weight.shape, storedView(view), rank, compressed)]
      : [new DenseWeight(weight.shape, values)];
  }

  get #kept(): KeptEnergy {
    return this.#settings;
  }

  async #named<T>(decompose: () => Promise<T>): Promise<T> {
    try {
      return await decompose();
    } catch (error) {
      throw error instanceof RangeError ? diverged(this.targets[0].weight.name, error) : error;
    }
  }
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
