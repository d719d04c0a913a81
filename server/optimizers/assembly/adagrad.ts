/** @file Adagrad (Duchi, Hazan & Singer 2011, diagonal form), with epsilon inside the square root as in TensorFlow.js. */
import { ELEMENT, VECTOR, bytesInVectors, bytesOf, loadGradient, loadVector, storeVector, times } from './vectors';

@inline
function adagradVector(
  value: usize,
  gradient: usize,
  accumulator: usize,
  limit: f32,
  scale: f32,
  learningRate: f32,
  weightDecay: f32,
  epsilon: f32,
  single: bool,
): void {
  const w = loadVector(value, single);
  const g = f32x4.add(loadGradient(gradient, limit, scale, single), times(weightDecay, w));
  const a = f32x4.add(loadVector(accumulator, single), f32x4.mul(g, g));
  storeVector(accumulator, a, single);
  const change = times(learningRate, f32x4.div(g, f32x4.sqrt(f32x4.add(a, f32x4.splat(epsilon)))));
  storeVector(value, f32x4.sub(w, change), single);
}

/** `a += g^2; w -= learningRate * g / sqrt(a + epsilon)`, where `g` includes `weightDecay * w`. */
export function adagrad(
  value: usize,
  gradient: usize,
  accumulator: usize,
  length: i32,
  limit: f32,
  scale: f32,
  learningRate: f32,
  weightDecay: f32,
  epsilon: f32,
): void {
  const vectors = bytesInVectors(length);
  const end = bytesOf(length);
  let i: usize = 0;
  for (; i < vectors; i += VECTOR)
    adagradVector(value + i, gradient + i, accumulator + i, limit, scale, learningRate, weightDecay, epsilon, false);
  for (; i < end; i += ELEMENT)
    adagradVector(value + i, gradient + i, accumulator + i, limit, scale, learningRate, weightDecay, epsilon, true);
}

/**
 * {@link adagrad}, without weight decay, of the rows `indices[0 .. count)` of `value`; `gradient` is [count, width].
 * At most one of the rows of `gradient` with the same index may be other than zero.
 */
export function adagradRows(
  value: usize,
  gradient: usize,
  accumulator: usize,
  indices: usize,
  count: i32,
  width: i32,
  limit: f32,
  scale: f32,
  learningRate: f32,
  epsilon: f32,
): void {
  const rowBytes = bytesOf(width);
  for (let i = 0; i < count; i++) {
    const row = <usize>load<i32>(indices + bytesOf(i)) * rowBytes;
    adagrad(value + row, gradient + (<usize>i) * rowBytes, accumulator + row, width, limit, scale, learningRate, 0, epsilon);
  }
}
