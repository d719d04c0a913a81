/** @file Range, moments and bin counts of weights, for histograms. Values that are not finite are left out. */

/**
 * Writes minimum, maximum, sum, sum of squares and count of the finite values as five float64; the minimum is above the
 * maximum where there are none. Sums are accumulated in float64.
 *
 * @param values address of `length` float32
 * @param result address of 40 bytes
 */
export function moments(values: usize, length: i32, result: usize): void {
  const infinity = f32x4.splat(f32.POSITIVE_INFINITY);
  let minima = infinity;
  let maxima = f32x4.splat(f32.NEGATIVE_INFINITY);
  let sums = f64x2.splat(0);
  let squares = f64x2.splat(0);
  let counts = i32x4.splat(0);
  const end = values + ((<usize>length) << 2);
  const vectors = values + ((<usize>(length & ~3)) << 2);
  for (let address = values; address < end; ) {
    let vector: v128;
    if (address < vectors) {
      vector = v128.load(address);
      address += 16;
    } else {
      // The three others are not finite, so they are left out.
      vector = v128.replace_lane<f32>(infinity, 0, load<f32>(address));
      address += 4;
    }
    const finite = f32x4.lt(f32x4.abs(vector), infinity);
    minima = v128.bitselect(f32x4.pmin(minima, vector), minima, finite);
    maxima = v128.bitselect(f32x4.pmax(maxima, vector), maxima, finite);
    counts = i32x4.sub(counts, finite);
    const kept = v128.and(vector, finite);
    const low = f64x2.promote_low_f32x4(kept);
    const high = f64x2.promote_low_f32x4(i64x2.shuffle(kept, kept, 1, 1));
    sums = f64x2.add(sums, f64x2.add(low, high));
    squares = f64x2.add(squares, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
  }
  let minimum: f64 = f64.POSITIVE_INFINITY;
  let maximum: f64 = f64.NEGATIVE_INFINITY;
  for (let lane: usize = 0; lane < 4; lane++) {
    v128.store(result, minima);
    minimum = Math.min(minimum, load<f32>(result + (lane << 2)));
    v128.store(result, maxima);
    maximum = Math.max(maximum, load<f32>(result + (lane << 2)));
  }
  const count =
    i32x4.extract_lane(counts, 0) +
    i32x4.extract_lane(counts, 1) +
    i32x4.extract_lane(counts, 2) +
    i32x4.extract_lane(counts, 3);
  store<f64>(result, minimum);
  store<f64>(result, maximum, 8);
  store<f64>(result, f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1), 16);
  store<f64>(result, f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1), 24);
  store<f64>(result, <f64>count, 32);
}

/**
 * Adds 1 to bin `(value - minimum) * scale` for every finite value, and counts zeros and near-zeros, `0 < |w| < bound`.
 *
 * @param values address of `length` float32
 * @param scale bins / (maximum - minimum)
 * @param result address of `2 * (bins + 1)` int32, which are overwritten, and two more. Neighbours count into different
 *   halves, so that many equal values do not wait for one another; the last element of a half takes the maximum itself.
 *   Behind them, the number of zeros and of near-zeros.
 */
export function countBins(
  values: usize,
  length: i32,
  minimum: f64,
  scale: f64,
  bins: i32,
  bound: f64,
  result: usize,
): void {
  const half = (<usize>(bins + 1)) << 2;
  memory.fill(result, 0, 2 * half);
  let zeros: i32 = 0;
  let nearZeros: i32 = 0;
  let counters = result;
  let others = result + half;
  const end = values + ((<usize>length) << 2);
  for (let address = values; address < end; address += 4) {
    const value = <f64>load<f32>(address);
    const magnitude = Math.abs(value);
    if (!(magnitude < f64.POSITIVE_INFINITY)) continue;
    const counter = counters + ((<usize>((value - minimum) * scale)) << 2);
    store<i32>(counter, load<i32>(counter) + 1);
    zeros += i32(magnitude === 0);
    nearZeros += i32(magnitude < bound);
    const swapped = counters;
    counters = others;
    others = swapped;
  }
  store<i32>(result + 2 * half, zeros);
  store<i32>(result + 2 * half, bound > 0 ? nearZeros - zeros : 0, 4);
}
