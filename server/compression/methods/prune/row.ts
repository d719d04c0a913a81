/** @file Pruning as a compression method. */
import { policyFacts } from '../../../protocol/experiment/methods/policies.ts';
import { rateOfPattern, targetRateOf } from '../../../protocol/experiment/pruningPattern.ts';
import type { PruningParameters } from '../../../protocol/experiment/schema/compression.ts';
import { SettingError } from '../../../protocol/experiment/settingError.ts';
import { gatesOf, unitsNameOf } from '../../targets/gates.ts';
import { viewOfWeight } from '../../targets/matrixView.ts';
import { matchTargets, type NamedWeight, type Target } from '../../targets/targets.ts';
import type { CompressionOf, MethodRow, Unit } from '../unit.ts';
import { criteria } from './criteria.ts';
import { patternProblem } from './patternProblem.ts';
import { prunesTensor, PruningUnit } from './pruningUnit.ts';
import { pruningRateAt } from './rate.ts';
import { selectionOf, type SelectedWeight } from './selection.ts';
import { expectedSparseSize, runOfZeros } from './size.ts';

type PrunedTarget = Target<PruningParameters>;

export const pruning: MethodRow<'prune'> = {
  createUnits(compression, weights) {
    const targets = matchTargets(compression.layers, weights);
    for (const target of targets) checkPattern(target);
    const together = compression.scope === 'model' ? [targets] : unitsByLayer(targets);
    return together.map((members) => createUnit(members, compression, weights));
  },
  predictSizes: (targets) =>
    targets.map(({ weight, parameters }) => {
      const view = viewOfWeight(weight);
      const selection = selectionOf(
        [
          selected(
            weight,
            view,
            targets.map((target) => target.weight),
          ),
        ],
        parameters,
        'mean',
      );
      const { weightsKept, bits, indexBits } = expectedSparseSize(
        view.rows * view.columns,
        selection.zerosAt(targetRateOf(parameters)),
        runOfZeros(view, parameters),
      );
      // What pruning leaves is one row of numbers for a further compression.
      const row = {
        ...weight,
        shape: [weightsKept, 1],
        weight: 'kernel',
        layerClass: undefined,
        outputAxis: undefined,
        channelAxis: undefined,
      };
      return { weightsKept, bits, left: { tensors: [row], otherBits: indexBits } };
    }),
};

/** Each weight alone, but the kernels of a recurrent layer together where whole units of it are pruned. */
function unitsByLayer(targets: readonly PrunedTarget[]): PrunedTarget[][] {
  const units = new Map<string, PrunedTarget[]>();
  for (const target of targets) {
    const { weight, parameters } = target;
    const name = (parameters.pattern === 'unit' && unitsNameOf(weight)) || weight.name;
    units.set(name, [...(units.get(name) ?? []), target]);
  }
  return [...units.values()];
}

function selected(weight: NamedWeight, view: SelectedWeight['view'], weights: readonly NamedWeight[]): SelectedWeight {
  return { view, gates: gatesOf(weight, weights), unitsOf: unitsNameOf(weight) ?? weight.name };
}

function createUnit(
  targets: readonly PrunedTarget[],
  { policy, criterion, schedule }: CompressionOf<'prune'>,
  weights: readonly NamedWeight[],
): Unit {
  const [{ parameters }] = targets;
  const row = criteria[criterion];
  // A pattern that fixes the rate has it from the first distortion on.
  const own =
    rateOfPattern(parameters.pattern) === undefined ? schedule : schedule && { ...schedule, to: schedule.from };
  const hasRate = !policyFacts[policy].findsRate;
  const rateAt = (step: number) => (hasRate ? pruningRateAt(own, targetRateOf(parameters), step) : 0);
  const members = targets.map(({ weight, view }) => selected(weight, view, weights));
  const selection = selectionOf(members, parameters, row.ofGroup);
  // A factor has no gates.
  const memberOf = (view: SelectedWeight['view']) =>
    view === members[0].view ? members[0] : { ...members[0], view, gates: 1 };
  const tensor =
    targets.length === 1 && !row.accumulate
      ? prunesTensor((view) => selectionOf([memberOf(view)], parameters, row.ofGroup), rateAt)
      : undefined;
  return new PruningUnit(targets, { selection, criterion: row, hasRate, rateAt }, tensor);
}

/** @throws SettingError where the pattern is larger than the matrix */
function checkPattern({ weight, view, key, parameters }: PrunedTarget): void {
  const problem = patternProblem(weight.name, view, parameters);
  if (problem) throw new SettingError(['layers', key, problem.setting], problem.reason, { remedy: problem.remedy });
}
