/**
 * @file Weight distortion to levels that may lie anywhere, fitted to the weight: the quantization points of Polino et al. 2018,
 * section 4, which all buckets of a weight share, or the centroids of Deep Compression (Han et al. 2016).
 */
import type { Random } from '../../../formats/random.ts';
import { fitUniformLevels } from '../../kernels.ts';
import type { MatrixView } from '../../targets/matrixView.ts';
import { bucketsOf, inOrder, type BucketSize } from './buckets.ts';
import { levelsOfBucket, withLevels, type LevelForm } from './levelForm.ts';
import { fitLevels, type FitParameters } from './lloydMax.ts';
import { roundToTable } from './nearestLevel.ts';

export interface PointsParameters extends FitParameters {
  readonly bits: number;
  /** Number of points, where it is not `2^bits`. */
  readonly points?: number | undefined;
  /** What is scaled alike, so that its numbers reach from 0 to 1 before the points are fitted; `none`: points are weights. */
  readonly bucket: BucketSize | 'none';
}

/** Replaces each number by the nearest point of its bucket, in place. */
export function quantizeToPoints(
  values: Float32Array,
  view: MatrixView,
  parameters: PointsParameters,
  random: Random,
): LevelForm {
  const { view: order } = bucketsOf(sizeOf(parameters), view);
  return inOrder(values, order, (numbers) => {
    const form = fitPoints(numbers, view, parameters, random);
    roundToTable(numbers, form);
    return withLevels(form);
  });
}

/** The points that a weight begins with. @param numbers of the weight, in the order of the form's matrix */
export function fitPoints(
  numbers: Float32Array,
  view: MatrixView,
  parameters: PointsParameters,
  random: Random,
): LevelForm {
  const { bits, points = 2 ** bits, bucket } = parameters;
  const { view: order, length } = bucketsOf(sizeOf(parameters), view);
  const { scales, offsets } = fitUniformLevels(numbers, { count: 2, bucket: length, symmetric: false });
  const form = { form: 'levels', view: order, bucket: length, ...(bucket !== 'none' && { scales, offsets }) } as const;
  const sorted = scaled(numbers, form).sort();
  return { ...form, table: fitLevels(sorted, points, parameters, random) };
}

function sizeOf({ bucket }: PointsParameters): BucketSize {
  return bucket === 'none' ? 'tensor' : bucket;
}

/** A copy of the numbers, each bucket from 0 to 1; a constant one becomes 0. Without scales, as they are. */
export function scaled(
  numbers: Float32Array,
  { bucket, scales, offsets }: Pick<LevelForm, 'bucket' | 'scales' | 'offsets'>,
): Float32Array {
  const copy = numbers.slice();
  if (!scales || !offsets) return copy;
  for (let b = 0; b < scales.length; b++) {
    const factor = scales[b] === 0 ? 0 : 1 / scales[b];
    const end = Math.min((b + 1) * bucket, copy.length);
    for (let i = b * bucket; i < end; i++) copy[i] = (copy[i] - offsets[b]) * factor;
  }
  return copy;
}
