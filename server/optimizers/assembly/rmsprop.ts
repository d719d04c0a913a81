/** @file RMSProp (Tieleman & Hinton 2012), centered (Graves 2013) or not, with momentum or without. */
import { ELEMENT, VECTOR, bytesInVectors, bytesOf, loadGradient, loadVector, storeVector, times } from './vectors';

@inline
function rmspropVector(
  i: usize,
  value: usize,
  gradient: usize,
  meanSquare: usize,
  meanGradient: usize,
  accumulation: usize,
  limit: f32,
  scale: f32,
  learningRate: f32,
  weightDecay: f32,
  decay: f32,
  oneMinusDecay: f32,
  momentum: f32,
  epsilon: f32,
  single: bool,
): void {
  const w = loadVector(value + i, single);
  const g = f32x4.add(loadGradient(gradient + i, limit, scale, single), times(weightDecay, w));
  const s = f32x4.add(times(decay, loadVector(meanSquare + i, single)), times(oneMinusDecay, f32x4.mul(g, g)));
  storeVector(meanSquare + i, s, single);
  let variance = s;
  if (meanGradient) {
    const b = f32x4.add(times(decay, loadVector(meanGradient + i, single)), times(oneMinusDecay, g));
    storeVector(meanGradient + i, b, single);
    // Rounding can take the difference below zero. `pmax` with the arguments in this order lets NaN through.
    variance = f32x4.pmax(f32x4.sub(s, f32x4.mul(b, b)), f32x4.splat(0));
  }
  let change = times(learningRate, f32x4.div(g, f32x4.sqrt(f32x4.add(variance, f32x4.splat(epsilon)))));
  if (accumulation) {
    change = f32x4.add(times(momentum, loadVector(accumulation + i, single)), change);
    storeVector(accumulation + i, change, single);
  }
  storeVector(value + i, f32x4.sub(w, change), single);
}

/**
 * `s = decay * s + (1 - decay) * g^2; a = momentum * a + learningRate * g / sqrt(s + epsilon); w -= a`, where `g` includes
 * `weightDecay * w`. Centered: `b = decay * b + (1 - decay) * g`, and the root of `s - b^2 + epsilon`.
 *
 * @param meanGradient address of `b`; 0 if not centered
 * @param accumulation address of `a`; 0 without momentum
 */
export function rmsprop(
  value: usize,
  gradient: usize,
  meanSquare: usize,
  meanGradient: usize,
  accumulation: usize,
  length: i32,
  limit: f32,
  scale: f32,
  learningRate: f32,
  weightDecay: f32,
  decay: f32,
  oneMinusDecay: f32,
  momentum: f32,
  epsilon: f32,
): void {
  const vectors = bytesInVectors(length);
  const end = bytesOf(length);
  let i: usize = 0;
  for (; i < vectors; i += VECTOR)
    rmspropVector(i, value, gradient, meanSquare, meanGradient, accumulation, limit, scale, learningRate, weightDecay, decay, oneMinusDecay, momentum, epsilon, false);
  for (; i < end; i += ELEMENT)
    rmspropVector(i, value, gradient, meanSquare, meanGradient, accumulation, limit, scale, learningRate, weightDecay, decay, oneMinusDecay, momentum, epsilon, true);
}
