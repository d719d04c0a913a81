/** @file Pruning as a compression method. */
import { SparseWeight } from '../../../formats/packed/sparse.ts';
import { elementCount } from '../../../protocol/shape.ts';
import { matchTargets, type Target } from '../../targets/targets.ts';
import { stateless, type CompressionOf, type MethodRow, type ParametersOf, type Unit } from '../unit.ts';
import { prune } from './prune.ts';
import { prunedCount, pruningRateAt } from './rate.ts';
import { expectedSparseSize, sparseSize } from './size.ts';

export const pruning: MethodRow<'prune'> = {
  createUnits: ({ layers, schedule }, weights) =>
    matchTargets(layers, weights).map((target) => createUnit(target, schedule)),
  predictSizes: (targets) =>
    targets.map(({ weight, parameters }) => expectedSparseSize(elementCount(weight.shape), parameters.rate)),
};

function createUnit(target: Target<ParametersOf<'prune'>>, schedule: CompressionOf<'prune'>['schedule']): Unit {
  const { weight, parameters } = target;
  const rateAt = (step: number) => pruningRateAt(schedule, parameters.rate, step);
  return {
    ...stateless,
    targets: [target],
    settingAt: (step) => ({ rate: rateAt(step) }),
    distort([values], step) {
      prune(values, rateAt(step));
      return [{ form: 'sparse' }];
    },
    sizes: ([values]) => [sparseSize(values)],
    packed: ([values]) => [SparseWeight.of(weight.shape, values)],
    zerosAt: (step) => prunedCount(rateAt(step), elementCount(weight.shape)),
  };
}
