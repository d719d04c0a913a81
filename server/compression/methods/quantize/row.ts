/** @file Binary-code quantization as a compression method. */
import { matchTargets, type Target } from '../../targets/targets.ts';
import { matrixViewOf } from '../../targets/matrixView.ts';
import { stateless, type MethodRow, type ParametersOf, type Unit } from '../unit.ts';
import { quantize } from './quantize.ts';
import { binaryCodeSize } from './size.ts';

export const quantization: MethodRow<'quantize'> = {
  createUnits: ({ layers }, weights) => matchTargets(layers, weights).map(createUnit),
  predictSizes: (targets) =>
    targets.map(({ weight: { shape, weight, layerClass }, parameters: { bits, scales } }) =>
      binaryCodeSize(matrixViewOf(shape, weight, layerClass), bits, scales),
    ),
};

function createUnit(target: Target<ParametersOf<'quantize'>>): Unit {
  const { view, parameters } = target;
  const { bits, scales } = parameters;
  return {
    ...stateless,
    targets: [target],
    settingAt: () => ({ bits }),
    distort: ([values]) => [quantize(values, view, parameters)],
    sizes: () => [binaryCodeSize(view, bits, scales)],
  };
}
