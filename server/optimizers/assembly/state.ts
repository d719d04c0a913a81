/** @file Upkeep of the optimizers' state. */
import { ELEMENT, VECTOR, bytesInVectors, bytesOf, loadVector, storeVector } from './vectors';

/** The smallest normal float32, 2^-126. */
const SMALLEST_NORMAL: f32 = 1.1754943508222875e-38;

/** A comparison with NaN is false, so NaN stays. */
@inline
function flushVector(state: usize, single: bool): void {
  const s = loadVector(state, single);
  const subnormal = f32x4.lt(f32x4.abs(s), f32x4.splat(SMALLEST_NORMAL));
  storeVector(state, v128.andnot(s, subnormal), single);
}

/**
 * Sets subnormal elements to zero. A decaying average of zeros would stay subnormal for ever (0.9 times four times the
 * smallest subnormal rounds to itself), and processors take up to a hundred cycles for an operation on such a number.
 */
export function flushSubnormals(state: usize, length: i32): void {
  const vectors = bytesInVectors(length);
  const end = bytesOf(length);
  let i: usize = 0;
  for (; i < vectors; i += VECTOR) flushVector(state + i, false);
  for (; i < end; i += ELEMENT) flushVector(state + i, true);
}
