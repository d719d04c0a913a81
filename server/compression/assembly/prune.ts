/**
 * @file Magnitude pruning in two SIMD passes. The threshold is bracketed by two order statistics of a sample; one pass
 * counts the weights below the bracket and collects the few inside it, among which the exact threshold is selected; one
 * pass writes the zeros. Where the few of a large tensor do not fit, one more pass counts them by their magnitudes, which narrows the
 * bracket. When the bracket misses, the threshold is selected among all weights instead.
 */
import { BINS, HISTOGRAM_BYTES, MAGNITUDE, approximateMagnitude, equalCount, equalRank, selectMagnitude } from './select';

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
/** A histogram has 2^11 bins. */
const BIN_BITS: i32 = 11;
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

  const targetEnd = scratch + scratchBytes;
  const expected = (2 * margin * length) / sampled;
  if (expected * 4 > <f64>(targetEnd - candidates)) {
    const shift = <u32>max(0, 32 - clz(to - from) - BIN_BITS);
    memory.fill(scratch, 0, HISTOGRAM_BYTES);
    visitBetween(values, length, from, to, notes, scratch, targetEnd, true, shift);
    if (rank <= countUpTo) return from === 0 ? 0 : -1;
    let left = rank - countUpTo;
    let bin: i32 = 0;
    for (; bin < <i32>BINS; bin++) {
      const count = load<i32>(scratch + (<usize>bin << 2));
      if (left <= count) break;
      left -= count;
    }
    if (bin === <i32>BINS) return -1;
    // Both ends of the bin are inside, those of a bracket are not.
    const low = max(from, from + (bin << shift) - 1);
    const high = min(to, from + ((bin + 1) << shift));
    return selectBetween(values, length, rank, low, high, notes, candidates, targetEnd, scratch);
  }
  return selectBetween(values, length, rank, from, to, notes, candidates, targetEnd, scratch);
}

/** The magnitude of rank `rank`, or -1 if it does not lie between `from` and `to`, both exclusive, or more do than fit. */
function selectBetween(
  values: usize,
  length: i32,
  rank: i32,
  from: i32,
  to: i32,
  notes: usize,
  candidates: usize,
  targetEnd: usize,
  histogram: usize,
): i32 {
  const found = visitBetween(values, length, from, to, notes, candidates, targetEnd, false, 0);
  if (found < 0) return -1;
  if (rank <= countUpTo) return from === 0 ? 0 : -1;
  if (rank - countUpTo > found) return -1;
  return selectMagnitude(candidates, found, rank - countUpTo, histogram);
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

/** Magnitudes that {@link visitBetween} found to be at most `from`. */
let countUpTo: i32 = 0;

/**
 * Counts the magnitudes up to `from` into {@link countUpTo}, and copies those between `from` and `to`, both exclusive, or counts them in a
 * histogram of bins that are 2^shift wide, the first of which begins with `from`.
 *
 * Candidates are rare and come at random: a branch for each would cost more than the pass. So the blocks that hold some
 * are noted without a branch, and their candidates are copied afterwards.
 *
 * @param notes address of room for {@link CHUNK} notes
 * @param target where they go: the histogram, where they are counted
 * @param targetEnd end of the room at `target`
 * @returns how many lie between, or -1 if they do not fit; 0 where they are counted
 */
@inline
function visitBetween(
  values: usize,
  length: i32,
  from: i32,
  to: i32,
  notes: usize,
  target: usize,
  targetEnd: usize,
  counts: bool,
  shift: u32,
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
      if (!counts && next + BLOCK_BYTES > targetEnd) return -1;
      const block = load<usize>(read);
      let inside = load<i32>(read, 4);
      do {
        const value = load<i32>(block + (ctz(inside) << 2));
        if (counts) {
          countInBin(target, (value & MAGNITUDE) - from, shift);
        } else {
          store<i32>(next, value);
          next += 4;
        }
        inside &= inside - 1;
      } while (inside !== 0);
    }
  }
  if (!counts && next + BLOCK_BYTES > targetEnd) return -1;
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
      if (counts) {
        countInBin(target, magnitude - from, shift);
      } else {
        store<i32>(next, magnitude);
        next += 4;
      }
    }
  }
  countUpTo = count;
  return <i32>((next - target) >> 2);
}

@inline
function countInBin(histogram: usize, distance: i32, shift: u32): void {
  const counter = histogram + (<usize>(distance >> shift) << 2);
  store<i32>(counter, load<i32>(counter) + 1);
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
