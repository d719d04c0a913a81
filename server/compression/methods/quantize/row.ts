/** @file Binary-code quantization as a compression method. */
import { BinaryCodesWeight } from '../../../formats/packed/binaryCodes.ts';
import { DenseWeight } from '../../../formats/packed/dense.ts';
import { matchTargets, type Target } from '../../targets/targets.ts';
import { matrixViewOf } from '../../targets/matrixView.ts';
import { distortsAlone, stateless, type MethodRow, type ParametersOf, type Unit } from '../unit.ts';
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
  const { parameters } = target;
  const { bits, scales } = parameters;
  return {
    ...stateless,
    ...distortsAlone(target, {
      distort: (values, view) => quantize(values, view, parameters),
      size: (_values, view) => binaryCodeSize(view, bits, scales),
      packed(shape, values, view, compressed) {
        if (compressed?.form !== 'binary-codes') return new DenseWeight(shape, values);
        const rows = scales === 'row' ? view : { outer: 1, rows: 1, inner: values.length };
        return BinaryCodesWeight.of(shape, rows, bits, compressed.scales, compressed.codes);
      },
    }),
    targets: [target],
    settingAt: () => ({ bits }),
  };
}
