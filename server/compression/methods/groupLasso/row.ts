/** @file The sparse group lasso as a compression method: proximal steps that shrink the numbers of each output unit together. */
import type { PackedWeight } from '../../../formats/packed/packedFile.ts';
import { SparseWeight } from '../../../formats/packed/sparse.ts';
import { thresholdOf } from '../../../protocol/experiment/proximalSteps.ts';
import { SettingError } from '../../../protocol/experiment/settingError.ts';
import type { CompressedSize } from '../../size.ts';
import { viewOfWeight } from '../../targets/matrixView.ts';
import { matchTargets, type NamedWeight, type Target } from '../../targets/targets.ts';
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
import { layerGroups, type LayerGroup } from './layerGroups.ts';
import { shrinkGroups, type GroupMember } from './shrinkGroups.ts';
import { ShrunkFactors } from './shrunkFactors.ts';

type GroupTarget = Target<ParametersOf<'group-lasso'>>;

export const groupLasso: MethodRow<'group-lasso'> = {
  createUnits({ layers, threshold }, weights) {
    const { groups, problems } = layerGroups(matchTargets(layers, weights), weights);
    if (problems.length === 0) return groups.map((group) => new GroupLassoUnit(group, threshold));
    const [{ key, reason, remedy }] = problems;
    throw new SettingError(['layers', key], reason, { at: 'key', remedy });
  },
  /** Training finds which units go: the size is that of the dense weight. */
  predictSizes: predictedDense,
};

class GroupLassoUnit implements Unit {
  readonly targets: readonly GroupTarget[];
  readonly companions: readonly NamedWeight[];
  readonly state = stateless.state;
  readonly restore = stateless.restore;
  readonly #units: number;
  readonly #threshold: CompressionOf<'group-lasso'>['threshold'];
  #measured: readonly Measured[] | undefined;

  constructor(
    { targets, biases, units }: LayerGroup<GroupTarget>,
    threshold: CompressionOf<'group-lasso'>['threshold'],
  ) {
    this.targets = targets;
    this.companions = biases;
    this.#units = units;
    this.#threshold = threshold;
  }

  settingAt(): { lambda: number } {
    return { lambda: this.targets[0].parameters.lambda };
  }

  get measured(): readonly Measured[] | undefined {
    return this.#measured;
  }

  distort(values: readonly Float32Array[], { learningRate }: Distortion): CompressedWeight[] {
    const { lambda, alpha } = this.targets[0].parameters;
    const threshold = thresholdOf(lambda, this.#threshold, learningRate);
    const left = shrinkGroups(this.#members(values), this.#units, { threshold, alpha });
    this.#measured = this.targets.map(() => ({ units: { left, all: this.#units } }));
    return this.settle();
  }

  #members(values: readonly Float32Array[]): GroupMember[] {
    const views = [...this.targets.map(({ view }) => view), ...this.companions.map(viewOfWeight)];
    return views.map((view, i) => ({ values: values[i], view }));
  }

  settle(): CompressedWeight[] {
    return this.targets.map(() => ({ form: 'sparse' }));
  }

  sizes(values: readonly Float32Array[]): CompressedSize[] {
    return this.targets.map((_, i) => sparseSize(values[i]));
  }

  packed(values: readonly Float32Array[]): PackedWeight[] {
    return this.targets.map(({ weight: { shape } }, i) => SparseWeight.of(shape, values[i]));
  }

  after(earlier: readonly Unit[]): Unit {
    return new ShrunkFactors(this, earlier);
  }
}
