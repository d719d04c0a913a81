/**
 * @file The gradient of uniform quantization that knows of its scale ("complicated" in the code of Polino et al. 2018): rounding counts
 * as no change, but the ends of a bucket move all its levels.
 */
import { ordered, inOrder } from './buckets.ts';
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
  const [before, after] = [ordered(full, view), ordered(quantized, view)];
  inOrder(gradient, view, (slopes) => {
    for (let start = 0, b = 0; start < slopes.length; start += bucket, b++) {
      const span = symmetric ? scales![b] / 2 : scales![b];
      if (span === 0) continue;
      const end = Math.min(start + bucket, slopes.length);
      let [least, greatest] = [start, start];
      let sum = 0;
      for (let i = start; i < end; i++) {
        if (before[i] < before[least]) least = i;
        if (before[i] > before[greatest]) greatest = i;
        sum += slopes[i] * (after[i] - before[i]);
      }
      const part = sum / span;
      if (!symmetric) {
        slopes[greatest] += part;
        slopes[least] -= part;
      } else if (before[greatest] > -before[least] || (before[greatest] === -before[least] && greatest < least))
        slopes[greatest] += part;
      else slopes[least] -= part;
    }
  });
}
