/**
 * @file Magnitude pruning in two SIMD passes. The threshold is bracketed by two order statistics of a sample; one pass
 * counts the weights below the bracket and collects the few inside it, among which the exact threshold is selected; one
 * pass writes the zeros. When the bracket misses, the threshold is selected among all weights instead.
 */
import { HISTOGRAM_BYTES, MAGNITUDE, approximateMagnitude, equalCount, equalRank, selectMagnitude } from './select';

/** Weights for one of the sample: selecting in the sample and among the candidates then cost about the same. */
const STRIDE: i32 = 64;
const LARGEST_SAMPLE: i32 = 16384;
/** Weights below which a sample is not worth its selection. */
const SMALL: i32 = 8192;
/** Half the width of the bracket, in standard deviations of the rank in the sample. */
const DEVIATIONS: f64 = 3;
/** Multiplier of Fibonacci hashing, 2^32 / golden ratio. */
const FIBONACCI: u32 = 0x9e3779b1;
/** Weights of one turn of a SIMD loop: four vectors. */
const BLOCK: i32 = 16;
const BLOCK_BYTES: usize = 64;
/** Blocks whose candidates are noted before they are copied. */
const CHUNK: usize = 4096;
/** Bytes of a note: the address of a block, and a bit for each of its candidates. */
const NOTE_BYTES: usize = 8;

/**
 * Sets the `count` smallest magnitudes to zero, in place; among equal magnitudes the lower index goes first.
 *
 * @param values address of `length` float32
 * @param count 0 to `length`
 * @param scratch address of `scratchBytes`, at least 128 KiB, that may be overwritten
 */
export function pruneSmallest(values: usize, length: i32, count: i32, scratch: usize, scratchBytes: i32): void {
  if (count <= 0) return;
  let threshold: i32 = -1;
  if (length >= SMALL) threshold = selectInBracket(values, length, count, scratch, scratchBytes);
  if (threshold < 0) threshold = selectMagnitude(values, length, count, scratch);
  if (threshold === 0) return;
  if (equalRank === equalCount) {
    zeroBelow(values, length, threshold + 1);
  } else {
    zeroBelow(values, length, threshold);
    zeroFirstEqual(values, threshold, equalRank);
  }
}

/** The magnitude of rank `rank`, or -1 if it lies outside the bracket or the bracket holds more than fits. */
function selectInBracket(values: usize, length: i32, rank: i32, scratch: usize, scratchBytes: i32): i32 {
  const notes = scratch + HISTOGRAM_BYTES;
  const candidates = notes + CHUNK * NOTE_BYTES;
  const sampled = min(LARGEST_SAMPLE, length / STRIDE);
  sample(values, length, candidates, sampled);
  const fraction = <f64>rank / <f64>length;
  const center = fraction * sampled;
  const margin = DEVIATIONS * Math.sqrt(center * (1 - fraction)) + 2;
  const low = <i32>(center - margin);
  const high = <i32>(center + margin) + 1;
  // Both ends are exclusive, so that a mass of zeros at the lower end is counted and not collected.
  const from = low < 1 ? 0 : approximateMagnitude(candidates, sampled, low, scratch);
  const to = high > sampled ? MAGNITUDE : approximateMagnitude(candidates, sampled, high, scratch);

  const found = collect(values, length, from, to, notes, candidates, scratch + scratchBytes);
  if (found < 0) return -1;
  if (rank <= countUpTo) return from === 0 ? 0 : -1;
  if (rank - countUpTo > found) return -1;
  return selectMagnitude(candidates, found, rank - countUpTo, scratch);
}

/** Copies `count` of the values, one from each of as many strides, at a scattered place of it. */
function sample(values: usize, length: i32, target: usize, count: u32): void {
  const stride = <u32>length / count;
  for (let i: u32 = 0; i < count; i++) {
    // At a fixed place, a stride that is a multiple of the row would sample one column only.
    const place = <u32>((<u64>(i * FIBONACCI) * stride) >> 32);
    store<i32>(target + (i << 2), load<i32>(values + ((i * stride + place) << 2)));
  }
}

/** Magnitudes that {@link collect} found to be at most `from`. */
let countUpTo: i32 = 0;

/**
 * Counts the magnitudes up to `from` into {@link countUpTo}, and copies those between `from` and `to`, both exclusive.
 *
 * Candidates are rare and come at random: a branch for each would cost more than the pass. So the blocks that hold some
 * are noted without a branch, and their candidates are copied afterwards.
 *
 * @param notes address of room for {@link CHUNK} notes
 * @param targetEnd end of the room at `target`
 * @returns how many lie between, or -1 if they do not fit
 */
function collect(
  values: usize,
  length: i32,
  from: i32,
  to: i32,
  notes: usize,
  target: usize,
  targetEnd: usize,
): i32 {
  const mask = i32x4.splat(MAGNITUDE);
  const lower = i32x4.splat(from);
  const upper = i32x4.splat(to);
  const blocks = values + <usize>(length / BLOCK) * BLOCK_BYTES;
  const end = values + ((<usize>length) << 2);
  let above = i32x4.splat(0);
  let next = target;
  let address = values;
  while (address < blocks) {
    const chunk = min(blocks, address + CHUNK * BLOCK_BYTES);
    let note = notes;
    for (; address < chunk; address += BLOCK_BYTES) {
      const m0 = v128.and(v128.load(address), mask);
      const m1 = v128.and(v128.load(address, 16), mask);
      const m2 = v128.and(v128.load(address, 32), mask);
      const m3 = v128.and(v128.load(address, 48), mask);
      const a0 = i32x4.gt_s(m0, lower);
      const a1 = i32x4.gt_s(m1, lower);
      const a2 = i32x4.gt_s(m2, lower);
      const a3 = i32x4.gt_s(m3, lower);
      above = i32x4.add(above, i32x4.add(i32x4.add(a0, a1), i32x4.add(a2, a3)));
      const i0 = v128.and(a0, i32x4.gt_s(upper, m0));
      const i1 = v128.and(a1, i32x4.gt_s(upper, m1));
      const i2 = v128.and(a2, i32x4.gt_s(upper, m2));
      const i3 = v128.and(a3, i32x4.gt_s(upper, m3));
      const inside = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(i0, i1), i16x8.narrow_i32x4_s(i2, i3)));
      store<usize>(note, address);
      store<i32>(note, inside, 4);
      note += select<usize>(NOTE_BYTES, 0, inside !== 0);
    }
    for (let read = notes; read < note; read += NOTE_BYTES) {
      if (next + BLOCK_BYTES > targetEnd) return -1;
      const block = load<usize>(read);
      let inside = load<i32>(read, 4);
      do {
        store<i32>(next, load<i32>(block + (ctz(inside) << 2)));
        next += 4;
        inside &= inside - 1;
      } while (inside !== 0);
    }
  }
  if (next + BLOCK_BYTES > targetEnd) return -1;
  // A lane that is above the lower end counts -1.
  let count: i32 =
    <i32>((blocks - values) >> 2) +
    i32x4.extract_lane(above, 0) +
    i32x4.extract_lane(above, 1) +
    i32x4.extract_lane(above, 2) +
    i32x4.extract_lane(above, 3);
  for (; address < end; address += 4) {
    const magnitude = load<i32>(address) & MAGNITUDE;
    if (magnitude <= from) {
      count++;
    } else if (magnitude < to) {
      store<i32>(next, magnitude);
      next += 4;
    }
  }
  countUpTo = count;
  return <i32>((next - target) >> 2);
}

/** Sets to zero every value whose magnitude is below `threshold`. */
function zeroBelow(values: usize, length: i32, threshold: i32): void {
  const mask = i32x4.splat(MAGNITUDE);
  const bound = i32x4.splat(threshold);
  const blocks = values + <usize>(length / BLOCK) * BLOCK_BYTES;
  const end = values + ((<usize>length) << 2);
  let address = values;
  for (; address < blocks; address += BLOCK_BYTES) {
    const w0 = v128.load(address);
    const w1 = v128.load(address, 16);
    const w2 = v128.load(address, 32);
    const w3 = v128.load(address, 48);
    v128.store(address, v128.andnot(w0, i32x4.gt_s(bound, v128.and(w0, mask))));
    v128.store(address, v128.andnot(w1, i32x4.gt_s(bound, v128.and(w1, mask))), 16);
    v128.store(address, v128.andnot(w2, i32x4.gt_s(bound, v128.and(w2, mask))), 32);
    v128.store(address, v128.andnot(w3, i32x4.gt_s(bound, v128.and(w3, mask))), 48);
  }
  for (; address < end; address += 4) {
    if ((load<i32>(address) & MAGNITUDE) < threshold) store<i32>(address, 0);
  }
}

/** Sets to zero the first `count` values whose magnitude is `threshold`; there are at least as many. */
function zeroFirstEqual(values: usize, threshold: i32, count: i32): void {
  for (let address = values; count > 0; address += 4) {
    if ((load<i32>(address) & MAGNITUDE) !== threshold) continue;
    store<i32>(address, 0);
    count--;
  }
}
