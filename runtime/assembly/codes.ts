/**
 * @file Products with binary codes by tables: BiQGEMM (Jeon, Park, Kwon, Kim, Yun & Lee 2020, "BiQGEMM: matrix multiplication
 * with lookup table for binary-coding-based quantized DNNs"). For each four inputs there is a table of their 16 sums with signs; a
 * weight's bits are the keys. Sixteen keys are looked up at once, by a swizzle of bytes, so that the sums are fixed-point numbers
 * of 21 bits in three planes of 7: two can be added as bytes, and the error stays below a millionth of the largest sum an input makes.
 *
 * Outputs stand in blocks of 16, the last filled up. For each bit of the codes, a block has 16 bytes for each 8 inputs: byte r has
 * the bits of output r, the first input in the lowest bit. Inputs are filled up to a multiple of 8; they count as zeros.
 */

/** Inputs of which the sums of a plane fit into 16 bits: 2 x 127 for every eight. */
const CHUNK_GROUPS = 256;
/** A table of four inputs: three planes of 16 bytes. */
const TABLE_BYTES: usize = 48;
const HALF = 1 << 20;

/**
 * Fills the tables of x; x has `groups` times 8 numbers.
 * @param sums f32 per chunk: what the fixed-point sums of the chunk have in excess
 * @returns the value of one fixed-point unit
 */
export function buildTables(x: usize, groups: i32, tables: usize): f32 {
  let largest = f32x4.splat(0);
  const end = x + ((<usize>groups) << 5);
  for (let at = x; at < end; at += 16) {
    const a = f32x4.abs(v128.load(at));
    // Both orders of the lanes: each lane then has the sum of the four.
    const pairs = f32x4.add(a, v128.shuffle<u32>(a, a, 1, 0, 3, 2));
    largest = f32x4.max(largest, f32x4.add(pairs, v128.shuffle<u32>(pairs, pairs, 2, 3, 0, 1)));
  }
  const limit = f32x4.extract_lane(largest, 0);
  // An input that is no finite number makes every output NaN.
  const unit = limit < Infinity ? limit / <f32>(HALF - 4) : NaN;
  const scale = f32x4.splat(limit > 0 ? <f32>1 / unit : 0);
  const offset = i32x4.splat(HALF);
  const seven = i32x4.splat(127);
  for (let at = x; at < end; at += 16) {
    const v = f32x4.mul(v128.load(at), scale);
    const first = f32x4.mul(v128.shuffle<u32>(v, v, 0, 0, 0, 0), f32x4(-1.0, 1.0, -1.0, 1.0));
    const second = f32x4.mul(v128.shuffle<u32>(v, v, 1, 1, 1, 1), f32x4(-1.0, -1.0, 1.0, 1.0));
    const low = f32x4.add(first, second);
    const third = v128.shuffle<u32>(v, v, 2, 2, 2, 2);
    const fourth = v128.shuffle<u32>(v, v, 3, 3, 3, 3);
    const both = f32x4.add(third, fourth);
    const difference = f32x4.sub(third, fourth);
    const e0 = i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.sub(low, both))), offset);
    const e1 = i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.add(low, difference))), offset);
    const e2 = i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.sub(low, difference))), offset);
    const e3 = i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.add(low, both))), offset);
    v128.store(tables, bytesOf(v128.and(e0, seven), v128.and(e1, seven), v128.and(e2, seven), v128.and(e3, seven)));
    v128.store(
      tables,
      bytesOf(
        v128.and(i32x4.shr_u(e0, 7), seven),
        v128.and(i32x4.shr_u(e1, 7), seven),
        v128.and(i32x4.shr_u(e2, 7), seven),
        v128.and(i32x4.shr_u(e3, 7), seven),
      ),
      16,
    );
    v128.store(
      tables,
      bytesOf(i32x4.shr_u(e0, 14), i32x4.shr_u(e1, 14), i32x4.shr_u(e2, 14), i32x4.shr_u(e3, 14)),
      32,
    );
    tables += TABLE_BYTES;
  }
  return unit;
}

/** Sixteen numbers below 128 as bytes. */
function bytesOf(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(a, b), i16x8.narrow_i32x4_u(c, d));
}

/**
 * y = bias + x W for one x, whose tables are given. `bias` may be `y`.
 * @param keys [block, bit, group, 16]
 * @param scales f32 [block, bit, 16]
 */
export function multiplyCodes(
  tables: usize,
  unit: f32,
  keys: usize,
  scales: usize,
  bits: i32,
  groups: i32,
  outputs: i32,
  bias: usize,
  y: usize,
): void {
  const units = f32x4.splat(unit);
  for (let left = outputs; left > 0; left -= 16) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let bit = 0; bit < bits; bit++) {
      let table = tables;
      for (let chunk = groups; chunk > 0; chunk -= CHUNK_GROUPS) {
        const size = min(chunk, CHUNK_GROUPS);
        const end = keys + ((<usize>size) << 4);
        const low = i8x16.splat(15);
        let a0 = i16x8.splat(0);
        let a1 = a0;
        let a2 = a0;
        let b0 = a0;
        let b1 = a0;
        let b2 = a0;
        while (keys < end) {
          const key = v128.load(keys);
          const first = v128.and(key, low);
          const second = i16x8.shr_u(v128.andnot(key, low), 4);
          let v = i8x16.add(i8x16.swizzle(v128.load(table), first), i8x16.swizzle(v128.load(table, 48), second));
          a0 = i16x8.add(a0, v);
          b0 = i16x8.add(b0, i16x8.shr_u(v, 8));
          v = i8x16.add(i8x16.swizzle(v128.load(table, 16), first), i8x16.swizzle(v128.load(table, 64), second));
          a1 = i16x8.add(a1, v);
          b1 = i16x8.add(b1, i16x8.shr_u(v, 8));
          v = i8x16.add(i8x16.swizzle(v128.load(table, 32), first), i8x16.swizzle(v128.load(table, 80), second));
          a2 = i16x8.add(a2, v);
          b2 = i16x8.add(b2, i16x8.shr_u(v, 8));
          keys += 16;
          table += 96;
        }
        // a has the bytes of even outputs and 256 times those of odd ones, modulo 65536; b those of odd ones.
        a0 = i16x8.sub(a0, i16x8.shl(b0, 8));
        a1 = i16x8.sub(a1, i16x8.shl(b1, 8));
        a2 = i16x8.sub(a2, i16x8.shl(b2, 8));
        const excess = i32x4.splat(size << 21);
        const e0 = sumOf(i32x4.extend_low_i16x8_u(a0), i32x4.extend_low_i16x8_u(a1), i32x4.extend_low_i16x8_u(a2), excess);
        const e1 = sumOf(i32x4.extend_high_i16x8_u(a0), i32x4.extend_high_i16x8_u(a1), i32x4.extend_high_i16x8_u(a2), excess);
        const o0 = sumOf(i32x4.extend_low_i16x8_u(b0), i32x4.extend_low_i16x8_u(b1), i32x4.extend_low_i16x8_u(b2), excess);
        const o1 = sumOf(i32x4.extend_high_i16x8_u(b0), i32x4.extend_high_i16x8_u(b1), i32x4.extend_high_i16x8_u(b2), excess);
        s0 = f32x4.add(s0, f32x4.mul(v128.load(scales), v128.shuffle<u32>(e0, o0, 0, 4, 1, 5)));
        s1 = f32x4.add(s1, f32x4.mul(v128.load(scales, 16), v128.shuffle<u32>(e0, o0, 2, 6, 3, 7)));
        s2 = f32x4.add(s2, f32x4.mul(v128.load(scales, 32), v128.shuffle<u32>(e1, o1, 0, 4, 1, 5)));
        s3 = f32x4.add(s3, f32x4.mul(v128.load(scales, 48), v128.shuffle<u32>(e1, o1, 2, 6, 3, 7)));
      }
      scales += 64;
    }
    writeSum(bias, y, left, f32x4.mul(s0, units));
    writeSum(bias + 16, y + 16, left - 4, f32x4.mul(s1, units));
    writeSum(bias + 32, y + 32, left - 8, f32x4.mul(s2, units));
    writeSum(bias + 48, y + 48, left - 12, f32x4.mul(s3, units));
    bias += 64;
    y += 64;
  }
}

@inline
function sumOf(low: v128, middle: v128, high: v128, excess: v128): v128 {
  const sum = i32x4.add(low, i32x4.add(i32x4.shl(middle, 7), i32x4.shl(high, 14)));
  return f32x4.convert_i32x4_s(i32x4.sub(sum, excess));
}

/** Writes the first `count` lanes of bias + sum. */
@inline
function writeSum(bias: usize, y: usize, count: i32, sum: v128): void {
  if (count >= 4) {
    v128.store(y, f32x4.add(v128.load(bias), sum));
    return;
  }
  if (count > 0) store<f32>(y, load<f32>(bias) + f32x4.extract_lane(sum, 0));
  if (count > 1) store<f32>(y, load<f32>(bias, 4) + f32x4.extract_lane(sum, 1), 4);
  if (count > 2) store<f32>(y, load<f32>(bias, 8) + f32x4.extract_lane(sum, 2), 8);
}
