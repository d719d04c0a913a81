/** @file Quantization as a compression method, whatever its levels are. */
import { BinaryCodesWeight } from '../../../formats/packed/binaryCodes.ts';
import { DenseWeight } from '../../../formats/packed/dense.ts';
import { levelsBits, LevelsWeight } from '../../../formats/packed/levels.ts';
import type { PackedWeight } from '../../../formats/packed/packedFile.ts';
import { Random } from '../../../formats/random.ts';
import type { CompressedSize } from '../../size.ts';
import { matchTargets, type Target } from '../../targets/targets.ts';
import { viewOfWeight, type MatrixView } from '../../targets/matrixView.ts';
import {
  distortsAlone,
  stateless,
  type CompressedWeight,
  type FittedPoints,
  type MethodRow,
  type ParametersOf,
  type Unit,
} from '../unit.ts';
import { mostPoints } from './allocatePoints.ts';
import { addScaleGradient } from './exactScale.ts';
import { partsOf } from './levelForm.ts';
import { quantizerOf, type BoundQuantizer } from './quantizers.ts';

/** Streams of the random numbers of quantizers: none is that of a shuffle, of dropout or of a first weight. */
const FIRST_STREAM = 2 ** 44;
const STREAMS_PER_STEP = 4096;

export const quantization: MethodRow<'quantize'> = {
  createUnits({ layers, straightThrough, pointsByGradient }, weights, run) {
    const targets = matchTargets(layers, weights);
    const counts = targets.map(({ parameters }) => quantizerOf(parameters).points ?? 0);
    const most = pointsByGradient ? mostPoints(counts) : counts;
    return targets.map((target, i) => {
      const points = counts[i] > 0 ? fittedPoints(counts[i], most[i]) : undefined;
      const unit = createUnit(target, { seed: run.seed, place: weights.indexOf(target.weight), points });
      return straightThrough?.gradient === 'exact-scale' ? { ...unit, pullBack: scaleGradient(target) } : unit;
    });
  },
  predictSizes: (targets) =>
    targets.map(({ weight, parameters }) => quantizerOf(parameters).predictSize(viewOfWeight(weight))),
};

function fittedPoints(usual: number, most: number): FittedPoints {
  return { usual, most, count: usual, trained: undefined };
}

/** @param place of the weight in the model */
function createUnit(
  target: Target<ParametersOf<'quantize'>>,
  { seed, place, points }: { seed: number; place: number; points: FittedPoints | undefined },
): Unit {
  const { parameters } = target;
  const quantizer = quantizerOf(parameters);
  const random = (step: number) => new Random(seed, FIRST_STREAM + step * STREAMS_PER_STEP + place);
  return {
    ...stateless,
    ...distortsAlone(target, {
      distort: (values, view, { step }) =>
        quantizer.quantize(values, view, {
          ofWeight: () => random(0),
          ofStep: () => random(step),
          points: points?.trained,
          count: points?.count,
        }),
      size: (values, view, compressed) => sizeOf(values, view, compressed, quantizer),
      packed,
    }),
    targets: [target],
    settingAt: () => ({ bits: points && points.count !== points.usual ? bitsOf(points.count) : parameters.bits }),
    ...(points && { points: [points] }),
  };
}

/** The binary logarithm of a number of points, to two digits. */
function bitsOf(points: number): number {
  return Number(Math.log2(points).toFixed(2));
}

/** What the ends of each bucket do to its scale, added to the gradient at the quantized weight. */
function scaleGradient({ parameters }: Target<ParametersOf<'quantize'>>): Unit['pullBack'] {
  const symmetric = 'symmetric' in parameters && parameters.symmetric;
  return ({ gradient, full, compressed }, form) => {
    if (form.form === 'levels') addScaleGradient(gradient, full, compressed, form, symmetric);
  };
}

/** Measured where the weight has been quantized: its codes take fewer bits where some are more frequent than others. */
function sizeOf(
  values: Float32Array,
  view: MatrixView,
  compressed: CompressedWeight | undefined,
  quantizer: BoundQuantizer,
): CompressedSize {
  if (compressed?.form !== 'levels') return quantizer.predictSize(view);
  return { weightsKept: values.length, bits: levelsBits(partsOf(values, compressed)) };
}

function packed(
  shape: readonly number[],
  values: Float32Array,
  view: MatrixView,
  compressed: CompressedWeight | undefined,
): PackedWeight {
  if (compressed?.form === 'levels') return LevelsWeight.of(shape, partsOf(values, compressed));
  if (compressed?.form !== 'binary-codes') return new DenseWeight(shape, values);
  const { bits, scales, codes } = compressed;
  const rows = scales.length === bits ? { outer: 1, rows: 1, inner: values.length } : view;
  return BinaryCodesWeight.of(shape, rows, bits, scales, codes);
}
