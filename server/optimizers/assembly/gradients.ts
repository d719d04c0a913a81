/** @file What happens to gradients before an update: the mean of several, the sum for the global norm, and the merging of duplicate rows. */
import { ELEMENT, VECTOR, bytesInVectors, bytesOf, loadClipped, loadVector, storeVector, times } from './vectors';

/** `sum` plus the squares, in float64, of the elements 0 and 1 of `g`. */
@inline
function addSquares(sum: v128, g: v128): v128 {
  const g64 = f64x2.promote_low_f32x4(g);
  return f64x2.add(sum, f64x2.mul(g64, g64));
}

/** Elements 2 and 3 in the place of 0 and 1. */
@inline
function upperHalf(a: v128): v128 {
  return v128.shuffle<f64>(a, a, 1, 1);
}

/** Sum of the squares, in float64, of the gradient clipped to [-limit, limit]. */
export function sumOfSquares(gradient: usize, length: i32, limit: f32): f64 {
  const end = bytesOf(length);
  const pairs = end & ~(2 * VECTOR - 1);
  // Four chains of additions, so that none waits for the one before it.
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  let i: usize = 0;
  for (; i < pairs; i += 2 * VECTOR) {
    const first = loadClipped(gradient + i, limit, false);
    const second = loadClipped(gradient + i + VECTOR, limit, false);
    a = addSquares(a, first);
    b = addSquares(b, upperHalf(first));
    c = addSquares(c, second);
    d = addSquares(d, upperHalf(second));
  }
  for (; i < end; i += ELEMENT) a = addSquares(a, loadClipped(gradient + i, limit, true));
  const sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

@inline
function moveVector(to: usize, from: usize, single: bool): void {
  storeVector(to, f32x4.add(loadVector(to, single), loadVector(from, single)), single);
  storeVector(from, f32x4.splat(0), single);
}

/** Adds row `source` of a matrix with `width` columns to row `target`, and leaves zeros in row `source`. */
export function moveRow(matrix: usize, width: i32, target: i32, source: i32): void {
  const end = bytesOf(width);
  const vectors = bytesInVectors(width);
  const to = matrix + (<usize>target) * end;
  const from = matrix + (<usize>source) * end;
  let i: usize = 0;
  for (; i < vectors; i += VECTOR) moveVector(to + i, from + i, false);
  for (; i < end; i += ELEMENT) moveVector(to + i, from + i, true);
}

@inline
function addVector(sum: usize, gradient: usize, single: bool): void {
  storeVector(sum, f32x4.add(loadVector(sum, single), loadVector(gradient, single)), single);
}

/** `sum += gradient` */
export function addGradient(sum: usize, gradient: usize, length: i32): void {
  const end = bytesOf(length);
  const vectors = bytesInVectors(length);
  let i: usize = 0;
  for (; i < vectors; i += VECTOR) addVector(sum + i, gradient + i, false);
  for (; i < end; i += ELEMENT) addVector(sum + i, gradient + i, true);
}

@inline
function averageVector(gradient: usize, sum: usize, scale: f32, single: bool): void {
  storeVector(gradient, times(scale, f32x4.add(loadVector(sum, single), loadVector(gradient, single))), single);
  storeVector(sum, f32x4.splat(0), single);
}

/** `gradient = scale * (sum + gradient)`, and leaves zeros in `sum`. */
export function averageGradient(gradient: usize, sum: usize, length: i32, scale: f32): void {
  const end = bytesOf(length);
  const vectors = bytesInVectors(length);
  let i: usize = 0;
  for (; i < vectors; i += VECTOR) averageVector(gradient + i, sum + i, scale, false);
  for (; i < end; i += ELEMENT) averageVector(gradient + i, sum + i, scale, true);
}
