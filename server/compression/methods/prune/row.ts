/** @file Pruning as a compression method. */
import { SparseWeight } from '../../../formats/packed/sparse.ts';
import { elementCount } from '../../../protocol/shape.ts';
import { matchTargets, type Target } from '../../targets/targets.ts';
import { distortsAlone, stateless, type CompressionOf, type MethodRow, type ParametersOf, type Unit } from '../unit.ts';
import { prune } from './prune.ts';
import { prunedCount, pruningRateAt } from './rate.ts';
import { expectedSparseSize, sparseSize } from './size.ts';

export const pruning: MethodRow<'prune'> = {
  createUnits: ({ layers, schedule }, weights) =>
    matchTargets(layers, weights).map((target) => createUnit(target, schedule)),
  predictSizes: (targets) =>
    targets.map(({ weight, parameters }) => {
      const size = expectedSparseSize(elementCount(weight.shape), parameters.rate);
      const { weightsKept, indexBits } = size;
      // What pruning leaves is one row of numbers for a further compression.
      const row = { ...weight, shape: [weightsKept, 1], weight: 'kernel', layerClass: undefined };
      return { ...size, left: { tensors: [row], otherBits: indexBits } };
    }),
};

function createUnit(target: Target<ParametersOf<'prune'>>, schedule: CompressionOf<'prune'>['schedule']): Unit {
  const { weight, parameters } = target;
  const rateAt = (step: number) => pruningRateAt(schedule, parameters.rate, step);
  return {
    ...stateless,
    ...distortsAlone(target, {
      distort(values, _view, { step }) {
        prune(values, rateAt(step));
        return { form: 'sparse' };
      },
      size: sparseSize,
      packed: (shape, values) => SparseWeight.of(shape, values),
    }),
    targets: [target],
    settingAt: (step) => ({ rate: rateAt(step) }),
    zerosAt: (step) => prunedCount(rateAt(step), elementCount(weight.shape)),
  };
}
