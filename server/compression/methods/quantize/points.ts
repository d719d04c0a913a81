/**
 * @file Weight distortion to levels that may lie anywhere, fitted to the weight: the quantization points of Polino et al. 2018,
 * section 4, which all buckets of a weight share, or the centroids of Deep Compression (Han et al. 2016).
 */
import type { Random } from '../../../formats/random.ts';
import { fitUniformLevels, roundToTable } from '../../levelKernels.ts';
import type { MatrixView } from '../../targets/matrixView.ts';
import { bucketsOf, inOrder, scaleBuckets, type BucketSize } from './buckets.ts';
import type { TableForm } from './levelForm.ts';
import { fitLevels, type FitParameters } from './lloydMax.ts';

export interface PointsParameters extends FitParameters {
  readonly bits: number;
  /** Number of points, where it is not `2^bits`. */
  readonly points?: number | undefined;
  /** What is scaled alike, so that its numbers reach from 0 to 1 before the points are fitted; `none`: points are weights. */
  readonly bucket: BucketSize | 'none';
}

/** Number of points. */
export function pointCount({ bits, points = 2 ** bits }: Pick<PointsParameters, 'bits' | 'points'>): number {
  return points;
}

/**
 * Replaces each number by the nearest point of its bucket, in place.
 * @param points ascending, for example trained ones, which the form keeps as they are; or the random numbers for the start of those that
 *   are fitted to the weight
 */
export function quantizeToPoints(
  values: Float32Array,
  view: MatrixView,
  parameters: PointsParameters,
  points: Float32Array | Random,
): TableForm {
  const { bucket } = parameters;
  const { view: order, length } = bucketsOf(bucket === 'none' ? 'tensor' : bucket, view);
  return inOrder(values, order, (numbers) => {
    const { scales, offsets } = fitUniformLevels(numbers, { count: 2, bucket: length, symmetric: false });
    const unfitted = { view: order, bucket: length, ...(bucket !== 'none' && { scales, offsets }) };
    const table =
      points instanceof Float32Array
        ? points
        : fitLevels(scaleBuckets(numbers, unfitted).sort(), pointCount(parameters), parameters, points);
    const form: TableForm = { form: 'levels', table, ...unfitted };
    roundToTable(numbers, form);
    return form;
  });
}
