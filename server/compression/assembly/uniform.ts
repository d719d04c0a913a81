/**
 * @file Levels that are equally far apart: `offset + scale * k / last`, k = 0 to `last`, with a scale and an offset for each bucket
 * of numbers. A level is computed in float64 and rounded once, as a reader of a packed file computes it.
 */
import { greatest, least } from './lanes';

/** A bucket whose numbers span less is constant: all of them become its smallest. Polino et al. 2018 have the same bound. */
const CONSTANT: f32 = 1e-10;
/** Multiplier of Fibonacci hashing, 2^32 / golden ratio. */
const FIBONACCI: u32 = 0x9e3779b1;
/** 2^-32. */
const UNIT: f64 = 1 / 4294967296.0;

/**
 * Writes the scale and the offset with which the levels of each bucket reach from its smallest number to its largest; scale 0 for a
 * constant one.
 *
 * @param values address of `length` float32
 * @param bucket numbers of a bucket; the last may have fewer
 * @param symmetric the levels reach from minus the greatest magnitude to plus that instead
 * @param scales address of a float32 for each bucket; `offsets` too
 */
export function bucketRanges(
  values: usize,
  length: i32,
  bucket: i32,
  symmetric: bool,
  scales: usize,
  offsets: usize,
): void {
  let address = values;
  for (let left = length; left > 0; left -= bucket) {
    const count = min(left, bucket);
    const end = address + ((<usize>count) << 2);
    let lowest = v128.load32_splat(address);
    let highest = lowest;
    for (; address + 16 <= end; address += 16) {
      const vector = v128.load(address);
      lowest = f32x4.pmin(lowest, vector);
      highest = f32x4.pmax(highest, vector);
    }
    for (; address < end; address += 4) {
      const vector = v128.load32_splat(address);
      lowest = f32x4.pmin(lowest, vector);
      highest = f32x4.pmax(highest, vector);
    }
    writeRange(least(lowest), greatest(highest), symmetric, scales, offsets);
    scales += 4;
    offsets += 4;
  }
}

function writeRange(lowest: f32, highest: f32, symmetric: bool, scale: usize, offset: usize): void {
  if (symmetric) {
    const magnitude = max(-lowest, highest);
    const constant = magnitude < CONSTANT;
    store<f32>(scale, constant ? 0 : 2 * magnitude);
    store<f32>(offset, constant ? 0 : -magnitude);
    return;
  }
  // One round of adding and subtracting makes the scale one that the next quantization finds again (Knuth, TAOCP 4.2.2, theorem D).
  const span: f32 = highest - lowest + lowest - lowest;
  store<f32>(scale, span < CONSTANT ? 0 : span);
  // A reader adds the offset to 0, which makes -0 to 0.
  store<f32>(offset, lowest + 0);
}

/**
 * Replaces each number by the nearest level of its bucket, in place; where it is in the middle, by the one of even k. Not-a-number stays.
 *
 * @param values address of `length` float32
 * @param last number of levels - 1
 * @param scales address of a float32 for each bucket; `offsets` too
 */
export function roundToLevels(
  values: usize,
  length: i32,
  bucket: i32,
  last: i32,
  scales: usize,
  offsets: usize,
): void {
  let address = values;
  for (let left = length; left > 0; left -= bucket) {
    const end = address + ((<usize>min(left, bucket)) << 2);
    const scale = load<f32>(scales);
    const offset = load<f32>(offsets);
    scales += 4;
    offsets += 4;
    if (scale === 0) {
      for (; address < end; address += 4) store<f32>(address, offset);
      continue;
    }
    const steps = f64x2.splat(last);
    const perStep = f64x2.splat(<f64>last / <f64>scale);
    const scales2 = f64x2.splat(scale);
    const offsets2 = f64x2.splat(offset);
    for (; address + 16 <= end; address += 16) {
      const four = v128.load(address);
      const low = nearestLevels(f64x2.promote_low_f32x4(four), steps, scales2, offsets2, perStep);
      const upper = i64x2.shuffle(four, four, 1, 1);
      const high = nearestLevels(f64x2.promote_low_f32x4(upper), steps, scales2, offsets2, perStep);
      v128.store(address, i64x2.shuffle(low, high, 0, 2));
    }
    while (address < end) {
      const place = nearest((<f64>load<f32>(address) - offset) * (<f64>last / <f64>scale));
      store<f32>(address, levelAt(place, last, scale, offset));
      address += 4;
    }
  }
}

/** The levels of two numbers in float64, as float32 in the lower lanes. The order of comparisons keeps what is not a number. */
// @ts-ignore: decorator
@inline
function nearestLevels(numbers: v128, steps: v128, scales: v128, offsets: v128, perStep: v128): v128 {
  const places = f64x2.nearest(f64x2.mul(f64x2.sub(numbers, offsets), perStep));
  const k = f64x2.pmax(f64x2.pmin(places, steps), f64x2.splat(0));
  return f32x4.demote_f64x2_zero(f64x2.add(f64x2.div(f64x2.mul(scales, k), steps), offsets));
}

/**
 * The same, but a number between two levels becomes one of them at random, the nearer one more often: on average, it stays what it
 * is. A number that is a level already stays.
 *
 * @param seed of the random numbers, which depend on nothing else but the place in the tensor
 * @param first place of the first number in the tensor
 */
export function roundAtRandom(
  values: usize,
  length: i32,
  bucket: i32,
  last: i32,
  scales: usize,
  offsets: usize,
  seed: u32,
  first: u32,
): void {
  let address = values;
  let place = first;
  for (let left = length; left > 0; left -= bucket) {
    const end = address + ((<usize>min(left, bucket)) << 2);
    const scale = load<f32>(scales);
    const offset = load<f32>(offsets);
    scales += 4;
    offsets += 4;
    const perStep = <f64>last / <f64>scale;
    for (; address < end; address += 4) {
      const value = load<f32>(address);
      const steps = (<f64>value - offset) * perStep;
      let level = scale === 0 ? offset : levelAt(nearest(steps), last, scale, offset);
      if (scale !== 0 && level !== value) {
        level = levelAt(floor(steps + <f64>hash(place * FIBONACCI + seed) * UNIT), last, scale, offset);
      }
      store<f32>(address, level);
      place++;
    }
  }
}

function levelAt(place: f64, last: i32, scale: f32, offset: f32): f32 {
  const k = max<f64>(0, min<f64>(last, place));
  return <f32>((<f64>scale * k) / <f64>last + <f64>offset);
}

/** A hash of 32 bits in which every bit depends on every bit (Wellons 2018, "Prospecting for hash functions": lowbias32). */
function hash(word: u32): u32 {
  word = (word ^ (word >> 16)) * 0x7feb352d;
  word = (word ^ (word >> 15)) * 0x846ca68b;
  return word ^ (word >> 16);
}
