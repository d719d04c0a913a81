/**
 * @file Four float32 at a time, or one where fewer than four are left: a kernel's arithmetic is written once, and `single`
 * is a constant wherever it is inlined. Taking more than one vector in a turn of a loop was measured and gains nothing.
 */

/** Bytes of four float32. */
export const VECTOR: usize = 16;
/** Bytes of one float32. */
export const ELEMENT: usize = 4;

/** Bytes of `length` float32. */
@inline
export function bytesOf(length: i32): usize {
  return (<usize>length) * ELEMENT;
}

/** Bytes of those of `length` float32 that fill whole vectors. */
@inline
export function bytesInVectors(length: i32): usize {
  return bytesOf(length) & ~(VECTOR - 1);
}

/** Loads a vector, or one element and three zeros. */
@inline
export function loadVector(address: usize, single: bool): v128 {
  return single ? v128.load32_zero(address) : v128.load(address);
}

/** Stores a vector, or its first element. */
@inline
export function storeVector(address: usize, vector: v128, single: bool): void {
  if (single) v128.store_lane<f32>(address, vector, 0);
  else v128.store(address, vector);
}

/** Loads a gradient clipped to [-limit, limit]. `pmin` and `pmax` with the arguments in this order let NaN through. */
@inline
export function loadClipped(gradient: usize, limit: f32, single: bool): v128 {
  return f32x4.pmin(f32x4.pmax(loadVector(gradient, single), f32x4.splat(-limit)), f32x4.splat(limit));
}

/** The gradient that an update sees: clipped by value, then scaled to the global norm. */
@inline
export function loadGradient(gradient: usize, limit: f32, scale: f32, single: bool): v128 {
  return times(scale, loadClipped(gradient, limit, single));
}

/** `factor * a` */
@inline
export function times(factor: f32, a: v128): v128 {
  return f32x4.mul(f32x4.splat(factor), a);
}
