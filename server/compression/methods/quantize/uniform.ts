/**
 * @file Weight distortion to levels that are equally far apart (Polino et al. 2018, section 2.1): in each bucket, from its smallest
 * number to its largest, or from minus to plus its greatest magnitude.
 */
import type { MatrixView } from '../../targets/matrixView.ts';
import { fitUniformLevels, roundToUniformLevels, type UniformLevels } from '../../levelKernels.ts';
import { bucketsOf, inOrder, type BucketSize, type Buckets } from './buckets.ts';
import type { LevelForm } from './levelForm.ts';

export interface UniformParameters {
  readonly bits: number;
  /** Number of levels, where it is not `2^bits`. */
  readonly points?: number | undefined;
  readonly bucket: BucketSize;
  /** The levels lie on both sides of 0, which is one of them: there is one level less. */
  readonly symmetric: boolean;
}

/** Number of levels. Symmetric ones are an odd number, so that 0 is among them; two of them are the one that has no 0. */
export function uniformLevelCount({ bits, points = 2 ** bits, symmetric }: Omit<UniformParameters, 'bucket'>): number {
  return symmetric && points > 2 ? points - 1 + (points % 2) : points;
}

/**
 * Replaces each number by a level of its bucket: the nearest, or, with a seed, at random one of the two around it.
 * The ends of a bucket are levels of it: the lower exactly, the upper to the rounding of their difference. What is quantized already
 * stays as it is.
 */
export function quantizeUniformly(
  values: Float32Array,
  view: MatrixView,
  parameters: UniformParameters,
  seed?: number,
): LevelForm {
  const buckets = bucketsOf(parameters.bucket, view);
  return inOrder(values, buckets.view, (numbers) => {
    const count = uniformLevelCount(parameters);
    const levels = fitUniformLevels(numbers, { count, bucket: buckets.length, symmetric: parameters.symmetric });
    roundToUniformLevels(numbers, levels, seed);
    return uniformForm(levels, buckets);
  });
}

/** The form of numbers that were rounded to uniform levels. */
export function uniformForm({ count, scales, offsets }: UniformLevels, { view, length }: Buckets): LevelForm {
  return { form: 'levels', table: { uniform: count }, view, bucket: length, scales, offsets };
}
