/** @file Levels that may lie anywhere: the nearest of a table for each number, and the sums of gradients over the numbers of each level. */
import { greatest, least } from './lanes';

/** Levels up to which all midpoints are compared with, four numbers at once; a binary search is quicker with more. */
const FEW: i32 = 32;
/** Numbers of one turn of the SIMD loop: four vectors. */
const BLOCK: usize = 16;

/**
 * Replaces each number by `scale * level + offset` of its bucket, with the level that is nearest to `(number - offset) / scale`, in
 * place; by the upper one in the middle. Not-a-number stays.
 *
 * @param values address of `length` float32
 * @param table address of `count` float32, ascending
 * @param midpoints address of as many float32, filled up with infinities to a power of two less one
 * @param scales address of a float32 for each bucket; `offsets` too
 * @param codes address of `length` bytes, which become the indices of the levels
 */
export function roundToTable(
  values: usize,
  length: i32,
  bucket: i32,
  table: usize,
  midpoints: usize,
  count: i32,
  scales: usize,
  offsets: usize,
  codes: usize,
): void {
  const half = 1 << (31 - clz(max(count - 1, 1)));
  let address = values;
  for (let left = length; left > 0; left -= bucket) {
    const end = address + ((<usize>min(left, bucket)) << 2);
    const scale = load<f32>(scales);
    const offset = load<f32>(offsets);
    scales += 4;
    offsets += 4;
    // All numbers of a constant bucket are the offset: the first level, times 0, is as good as any.
    const factor: f32 = scale === 0 ? 0 : 1 / scale;
    if (count <= FEW) {
      for (; address + 4 * BLOCK <= end; address += 4 * BLOCK) {
        roundBlock(address, table, midpoints, count, scale, offset, factor, codes);
        codes += BLOCK;
      }
    }
    for (; address < end; address += 4) {
      const value = load<f32>(address);
      const place = (value - offset) * factor;
      let code: i32 = 0;
      for (let step = half; step > 0; step >>= 1) {
        code += select<i32>(step, 0, place >= load<f32>(midpoints + ((<usize>(code + step - 1)) << 2)));
      }
      const level = <f32>(<f64>scale * <f64>load<f32>(table + ((<usize>code) << 2)) + <f64>offset);
      store<f32>(address, select<f32>(level, value, value === value));
      store<u8>(codes++, <u8>code);
    }
  }
}

// @ts-ignore: decorator
@inline
function roundBlock(
  address: usize,
  table: usize,
  midpoints: usize,
  count: i32,
  scale: f32,
  offset: f32,
  factor: f32,
  codes: usize,
): void {
  const offset4 = f32x4.splat(offset);
  const factor4 = f32x4.splat(factor);
  const p0 = f32x4.mul(f32x4.sub(v128.load(address), offset4), factor4);
  const p1 = f32x4.mul(f32x4.sub(v128.load(address, 16), offset4), factor4);
  const p2 = f32x4.mul(f32x4.sub(v128.load(address, 32), offset4), factor4);
  const p3 = f32x4.mul(f32x4.sub(v128.load(address, 48), offset4), factor4);
  let l0 = v128.load32_splat(table);
  let l1 = l0;
  let l2 = l0;
  let l3 = l0;
  let c0 = i32x4.splat(0);
  let c1 = c0;
  let c2 = c0;
  let c3 = c0;
  const last = (<usize>(count - 1)) << 2;
  for (let i: usize = 0; i < last; i += 4) {
    const midpoint = v128.load32_splat(midpoints + i);
    const level = v128.load32_splat(table + i, 4);
    const m0 = f32x4.ge(p0, midpoint);
    const m1 = f32x4.ge(p1, midpoint);
    const m2 = f32x4.ge(p2, midpoint);
    const m3 = f32x4.ge(p3, midpoint);
    l0 = v128.bitselect(level, l0, m0);
    l1 = v128.bitselect(level, l1, m1);
    l2 = v128.bitselect(level, l2, m2);
    l3 = v128.bitselect(level, l3, m3);
    c0 = i32x4.sub(c0, m0);
    c1 = i32x4.sub(c1, m1);
    c2 = i32x4.sub(c2, m2);
    c3 = i32x4.sub(c3, m3);
  }
  const narrow = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(c0, c1), i16x8.narrow_i32x4_s(c2, c3));
  v128.store(codes, narrow);
  storeLevels(address, l0, scale, offset);
  storeLevels(address + 16, l1, scale, offset);
  storeLevels(address + 32, l2, scale, offset);
  storeLevels(address + 48, l3, scale, offset);
}

// @ts-ignore: decorator
@inline
function storeLevels(address: usize, levels: v128, scale: f32, offset: f32): void {
  const scales = f64x2.splat(scale);
  const offsets = f64x2.splat(offset);
  const low = f64x2.add(f64x2.mul(scales, f64x2.promote_low_f32x4(levels)), offsets);
  const upper = f64x2.promote_low_f32x4(i64x2.shuffle(levels, levels, 1, 1));
  const high = f64x2.add(f64x2.mul(scales, upper), offsets);
  const rounded = i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
  const numbers = v128.load(address);
  v128.store(address, v128.bitselect(rounded, numbers, f32x4.eq(numbers, numbers)));
}

/**
 * Adds up `scale * slope` over the numbers of each level.
 *
 * @param slopes address of `length` float32
 * @param codes address of `length` bytes, each below `count`
 * @param scales address of a float32 for each bucket
 * @param sums address of four times `count` float64, which are overwritten; the first `count` become the sums. Neighbours are added to
 *   different ones, so that many equal codes do not wait for one another.
 */
export function sumByLevel(
  slopes: usize,
  codes: usize,
  length: i32,
  bucket: i32,
  scales: usize,
  count: i32,
  sums: usize,
): void {
  const part = (<usize>count) << 3;
  memory.fill(sums, 0, 4 * part);
  for (let left = length; left > 0; left -= bucket) {
    const scale = <f64>load<f32>(scales);
    scales += 4;
    const end = slopes + ((<usize>min(left, bucket)) << 2);
    for (; slopes + 16 <= end; slopes += 16) {
      add(sums, load<u8>(codes), scale * load<f32>(slopes));
      add(sums + part, load<u8>(codes, 1), scale * load<f32>(slopes, 4));
      add(sums + 2 * part, load<u8>(codes, 2), scale * load<f32>(slopes, 8));
      add(sums + 3 * part, load<u8>(codes, 3), scale * load<f32>(slopes, 12));
      codes += 4;
    }
    for (; slopes < end; slopes += 4) add(sums, load<u8>(codes++), scale * load<f32>(slopes));
  }
  for (let at: usize = 0; at < part; at += 8) {
    const rest = load<f64>(sums + at + part) + load<f64>(sums + at + 2 * part) + load<f64>(sums + at + 3 * part);
    store<f64>(sums + at, load<f64>(sums + at) + rest);
  }
}

// @ts-ignore: decorator
@inline
function add(sums: usize, code: u8, value: f64): void {
  const sum = sums + ((<usize>code) << 3);
  store<f64>(sum, load<f64>(sum) + value);
}

/**
 * Writes for each bucket `sum slope * (after - before)`, as a float64, and the places of the least and the greatest number before, as
 * int32 from the begin of the tensor; the first of several.
 *
 * @param slopes address of `length` float32; `before` and `after` too
 * @param results address of 16 bytes for each bucket
 */
export function bucketGradients(
  slopes: usize,
  before: usize,
  after: usize,
  length: i32,
  bucket: i32,
  results: usize,
): void {
  const values = before;
  for (let left = length; left > 0; left -= bucket) {
    const start = before;
    const end = before + ((<usize>min(left, bucket)) << 2);
    let lowest = v128.load32_splat(before);
    let highest = lowest;
    let sums = f64x2.splat(0);
    for (; before + 16 <= end; before += 16) {
      const numbers = v128.load(before);
      lowest = f32x4.pmin(lowest, numbers);
      highest = f32x4.pmax(highest, numbers);
      const products = f32x4.mul(v128.load(slopes), f32x4.sub(v128.load(after), numbers));
      const upper = f64x2.promote_low_f32x4(i64x2.shuffle(products, products, 1, 1));
      sums = f64x2.add(sums, f64x2.add(f64x2.promote_low_f32x4(products), upper));
      slopes += 16;
      after += 16;
    }
    let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
    let smallest = least(lowest);
    let largest = greatest(highest);
    for (; before < end; before += 4) {
      const number = load<f32>(before);
      smallest = min(smallest, number);
      largest = max(largest, number);
      sum += load<f32>(slopes) * (load<f32>(after) - number);
      slopes += 4;
      after += 4;
    }
    store<f64>(results, sum);
    store<i32>(results, <i32>((firstOf(smallest, start, end) - values) >> 2), 8);
    store<i32>(results, <i32>((firstOf(largest, start, end) - values) >> 2), 12);
    results += 16;
  }
}

/** Address of the first of the numbers that is equal to `value`; that of the first number where none is. */
function firstOf(value: f32, start: usize, end: usize): usize {
  const wanted = f32x4.splat(value);
  let address = start;
  for (; address + 16 <= end; address += 16) {
    const found = i32x4.bitmask(f32x4.eq(v128.load(address), wanted));
    if (found !== 0) return address + ((<usize>ctz(found)) << 2);
  }
  for (; address < end; address += 4) if (load<f32>(address) === value) return address;
  return start;
}
