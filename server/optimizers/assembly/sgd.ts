/** @file Stochastic gradient descent, without and with momentum. */
import { ELEMENT, VECTOR, bytesInVectors, bytesOf, loadGradient, loadVector, storeVector, times } from './vectors';

@inline
function sgdVector(
  value: usize,
  gradient: usize,
  limit: f32,
  scale: f32,
  learningRate: f32,
  weightDecay: f32,
  single: bool,
): void {
  const w = loadVector(value, single);
  const g = f32x4.add(loadGradient(gradient, limit, scale, single), times(weightDecay, w));
  storeVector(value, f32x4.sub(w, times(learningRate, g)), single);
}

/** `w -= learningRate * (g + weightDecay * w)` */
export function sgd(
  value: usize,
  gradient: usize,
  length: i32,
  limit: f32,
  scale: f32,
  learningRate: f32,
  weightDecay: f32,
): void {
  const vectors = bytesInVectors(length);
  const end = bytesOf(length);
  let i: usize = 0;
  for (; i < vectors; i += VECTOR)
    sgdVector(value + i, gradient + i, limit, scale, learningRate, weightDecay, false);
  for (; i < end; i += ELEMENT)
    sgdVector(value + i, gradient + i, limit, scale, learningRate, weightDecay, true);
}

/** {@link sgd}, without weight decay, of the rows `indices[0 .. count)` of `value`; `gradient` is [count, width]. */
export function sgdRows(
  value: usize,
  gradient: usize,
  indices: usize,
  count: i32,
  width: i32,
  limit: f32,
  scale: f32,
  learningRate: f32,
): void {
  const rowBytes = bytesOf(width);
  for (let i = 0; i < count; i++) {
    const row = <usize>load<i32>(indices + bytesOf(i));
    sgd(value + row * rowBytes, gradient + (<usize>i) * rowBytes, width, limit, scale, learningRate, 0);
  }
}

@inline
function momentumVector(
  value: usize,
  gradient: usize,
  accumulation: usize,
  limit: f32,
  scale: f32,
  weightDecay: f32,
  momentum: f32,
  gradientRate: f32,
  accumulationRate: f32,
  single: bool,
): void {
  const w = loadVector(value, single);
  const g = f32x4.add(loadGradient(gradient, limit, scale, single), times(weightDecay, w));
  const a = f32x4.add(times(momentum, loadVector(accumulation, single)), g);
  storeVector(accumulation, a, single);
  const change = f32x4.add(times(gradientRate, g), times(accumulationRate, a));
  storeVector(value, f32x4.sub(w, change), single);
}

/**
 * `a = momentum * a + g; w -= gradientRate * g + accumulationRate * a`, where `g` includes `weightDecay * w`.
 * The two rates are 0 and the learning rate; for Nesterov's momentum, the learning rate and `momentum` times it.
 */
export function momentum(
  value: usize,
  gradient: usize,
  accumulation: usize,
  length: i32,
  limit: f32,
  scale: f32,
  weightDecay: f32,
  momentum: f32,
  gradientRate: f32,
  accumulationRate: f32,
): void {
  const vectors = bytesInVectors(length);
  const end = bytesOf(length);
  let i: usize = 0;
  for (; i < vectors; i += VECTOR)
    momentumVector(value + i, gradient + i, accumulation + i, limit, scale, weightDecay, momentum, gradientRate, accumulationRate, false);
  for (; i < end; i += ELEMENT)
    momentumVector(value + i, gradient + i, accumulation + i, limit, scale, weightDecay, momentum, gradientRate, accumulationRate, true);
}
