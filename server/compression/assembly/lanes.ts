/** @file What the four lanes of a vector come to. */

/** The least of four lanes. */
// @ts-ignore: decorator
@inline
export function least(vector: v128): f32 {
  const halves = f32x4.pmin(vector, i64x2.shuffle(vector, vector, 1, 0));
  return min(f32x4.extract_lane(halves, 0), f32x4.extract_lane(halves, 1));
}

/** The greatest of four lanes. */
// @ts-ignore: decorator
@inline
export function greatest(vector: v128): f32 {
  return -least(f32x4.neg(vector));
}
