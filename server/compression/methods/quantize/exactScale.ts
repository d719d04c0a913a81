/**
 * @file The gradient of uniform quantization that knows of its scale ("complicated" in the code of Polino et al. 2018): rounding counts
 * as no change, but the ends of a bucket move all its levels.
 */
import { bucketGradients } from '../../levelKernels.ts';
import { inOrder, ordered } from './buckets.ts';
import type { LevelForm } from './levelForm.ts';

/**
 * Adds to the gradient of a straight-through step what the ends of each bucket do by its scale `a`: with `q` and `v` the quantized and
 * the full-precision numbers, `sum g (q - v) / a` to the greatest and minus that to the smallest; where levels are symmetric, to the
 * one of greatest magnitude by its sign. The first counts of several.
 *
 * @param gradient at the quantized weight, changed in place
 * @param full the weight in full precision
 */
export function addScaleGradient(
  gradient: Float32Array,
  full: Float32Array,
  quantized: Float32Array,
  { view, bucket, scales }: LevelForm,
  symmetric: boolean,
): void {
  const numbers = ordered(full, view);
  inOrder(gradient, view, (slopes) => {
    bucketGradients(slopes, numbers, ordered(quantized, view), bucket).forEach(({ sum, least, greatest }, b) => {
      const span = symmetric ? scales![b] / 2 : scales![b];
      if (span === 0) return;
      const isGreatest = isGreaterMagnitude(numbers, greatest, least);
      if (!symmetric || isGreatest) slopes[greatest] += sum / span;
      if (!symmetric || !isGreatest) slopes[least] -= sum / span;
    });
  });
}

/** True where the number at a place has a greater magnitude than that at another one, or the same and stands first. */
function isGreaterMagnitude(numbers: Float32Array, place: number, other: number): boolean {
  const difference = Math.abs(numbers[place]) - Math.abs(numbers[other]);
  return difference > 0 || (difference === 0 && place < other);
}
