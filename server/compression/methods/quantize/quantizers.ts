/** @file The kinds of levels, one row each: what `levels` of a layer means has no other place. */
import type { Random } from '../../../formats/random.ts';
import type {
  LevelsKind,
  ParametersOfLevels,
  QuantizationParameters,
} from '../../../protocol/experiment/schema/quantization.ts';
import type { CompressedSize } from '../../size.ts';
import type { MatrixView } from '../../targets/matrixView.ts';
import type { QuantizedWeight } from '../unit.ts';
import { bucketsOf, type BucketSize } from './buckets.ts';
import { quantizeToFixedPoint } from './fixedPoint.ts';
import type { LevelForm } from './levelForm.ts';
import { pointCount, quantizeToPoints } from './points.ts';
import { quantizeToPowersOfTwo } from './powerOfTwo.ts';
import { quantize } from './quantize.ts';
import { binaryCodeSize, codedSize } from './size.ts';
import { quantizeUniformly } from './uniform.ts';

/** What a quantizer may depend on besides the numbers and the parameters. */
export interface QuantizerContext {
  /** Random numbers for a weight: the same at each distortion. */
  ofWeight(): Random;
  /** Random numbers for a weight at this step. */
  ofStep(): Random;
  /** Points to take in the place of fitted ones, ascending. */
  readonly points?: Float32Array | undefined;
  /** Number of the points that are fitted, where it is not that of the parameters. */
  readonly count?: number | undefined;
}

interface Quantizer<L extends LevelsKind> {
  /** Replaces the numbers by their levels, in place. */
  quantize(
    values: Float32Array,
    view: MatrixView,
    parameters: ParametersOfLevels<L>,
    context: QuantizerContext,
  ): QuantizedWeight | LevelForm;
  /** The size with codes of the same length, told from the shape alone. */
  predictSize(view: MatrixView, parameters: ParametersOfLevels<L>): CompressedSize;
  /** Number of the points that {@link QuantizerContext.points} can take the place of; absent where there are none. */
  points?(parameters: ParametersOfLevels<L>): number;
}

const quantizers: { readonly [L in LevelsKind]: Quantizer<L> } = {
  binary: {
    quantize,
    predictSize: (view, { bits, scales }) => binaryCodeSize(view, bits, scales),
  },
  uniform: {
    quantize: (values, view, parameters, context) =>
      quantizeUniformly(values, view, parameters, roundingSeed(parameters, context)),
    predictSize: (view, { bits, bucket }) => codedSize(view, bits, 2 * bucketCount(view, bucket)),
  },
  points: {
    quantize: (values, view, parameters, { points, count = pointCount(parameters), ofWeight }) =>
      quantizeToPoints(values, view, { ...parameters, points: count }, points ?? ofWeight()),
    predictSize: (view, parameters) => {
      const { bits, bucket } = parameters;
      const scales = bucket === 'none' ? 0 : 2 * bucketCount(view, bucket);
      return codedSize(view, bits, pointCount(parameters) + scales);
    },
    points: pointCount,
  },
  'fixed-point': {
    quantize: (values, view, parameters, context) =>
      quantizeToFixedPoint(values, view, parameters, roundingSeed(parameters, context)),
    predictSize: (view, { bits }) => codedSize(view, bits, 2),
  },
  'power-of-two': {
    quantize: quantizeToPowersOfTwo,
    predictSize: (view, { bits }) => codedSize(view, bits, 2 ** bits),
  },
};

/** The quantizer of the kind of levels that the parameters name. */
export function quantizerOf(parameters: QuantizationParameters): BoundQuantizer {
  return bound<LevelsKind>(parameters.levels, parameters);
}

/** A quantizer with its parameters. */
export interface BoundQuantizer {
  quantize(values: Float32Array, view: MatrixView, context: QuantizerContext): QuantizedWeight | LevelForm;
  predictSize(view: MatrixView): CompressedSize;
  readonly points: number | undefined;
}

function bound<L extends LevelsKind>(levels: L, parameters: ParametersOfLevels<L>): BoundQuantizer {
  const row = quantizers[levels];
  return {
    quantize: (values, view, context) => row.quantize(values, view, parameters, context),
    predictSize: (view) => row.predictSize(view, parameters),
    points: row.points?.(parameters),
  };
}

function bucketCount(view: MatrixView, size: BucketSize): number {
  return Math.ceil((view.rows * view.columns) / bucketsOf(size, view).length);
}

/** Undefined where numbers are rounded to the nearest level. */
function roundingSeed(
  { rounding }: { readonly rounding: 'nearest' | 'stochastic' },
  { ofStep }: QuantizerContext,
): number | undefined {
  return rounding === 'stochastic' ? ofStep().uint32() : undefined;
}
