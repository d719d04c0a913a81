/** @file Adam (Kingma & Ba 2015, algorithm 1) with decoupled weight decay (Loshchilov & Hutter 2019). */
import { ELEMENT, VECTOR, bytesInVectors, bytesOf, loadGradient, loadVector, storeVector, times } from './vectors';

@inline
function adamVector(
  value: usize,
  gradient: usize,
  firstMoment: usize,
  secondMoment: usize,
  limit: f32,
  scale: f32,
  beta1: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  stepSize: f32,
  epsilon: f32,
  shrinkage: f32,
  single: bool,
): void {
  const g = loadGradient(gradient, limit, scale, single);
  const m = f32x4.add(times(beta1, loadVector(firstMoment, single)), times(oneMinusBeta1, g));
  const v = f32x4.add(times(beta2, loadVector(secondMoment, single)), times(oneMinusBeta2, f32x4.mul(g, g)));
  storeVector(firstMoment, m, single);
  storeVector(secondMoment, v, single);
  const change = times(stepSize, f32x4.div(m, f32x4.add(f32x4.sqrt(v), f32x4.splat(epsilon))));
  storeVector(value, f32x4.sub(times(shrinkage, loadVector(value, single)), change), single);
}

/**
 * `m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2; w = shrinkage * w - stepSize * m / (sqrt(v) + epsilon)`.
 * `stepSize` and `epsilon` hold the bias corrections; `shrinkage` is 1 - learningRate * weightDecay. 1 - beta comes from
 * float64, because in float32 the difference would lose digits.
 */
export function adam(
  value: usize,
  gradient: usize,
  firstMoment: usize,
  secondMoment: usize,
  length: i32,
  limit: f32,
  scale: f32,
  beta1: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  stepSize: f32,
  epsilon: f32,
  shrinkage: f32,
): void {
  const vectors = bytesInVectors(length);
  const end = bytesOf(length);
  let i: usize = 0;
  for (; i < vectors; i += VECTOR)
    adamVector(value + i, gradient + i, firstMoment + i, secondMoment + i, limit, scale, beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilon, shrinkage, false);
  for (; i < end; i += ELEMENT)
    adamVector(value + i, gradient + i, firstMoment + i, secondMoment + i, limit, scale, beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilon, shrinkage, true);
}
