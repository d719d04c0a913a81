/** @file The WebAssembly kernels of `assembly/` that quantize to levels. */
import { scratch } from '../memory/arena.ts';
import { makeRoom, place } from './kernels.ts';

/** Levels that are equally far apart in each bucket: `offset + scale * k / (count - 1)`, k = 0 to `count - 1`. */
export interface UniformLevels {
  readonly count: number;
  /** Numbers of a bucket; the last may have fewer. */
  readonly bucket: number;
  /** A scale and an offset for each bucket; a scale of 0 makes all its levels the offset. */
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
}

/**
 * The levels that reach from the smallest to the largest number of each bucket, or, `symmetric`, from minus to plus the greatest
 * magnitude.
 */
export function fitUniformLevels(
  values: Float32Array,
  { count, bucket, symmetric }: Pick<UniformLevels, 'count' | 'bucket'> & { readonly symmetric: boolean },
): UniformLevels {
  const buckets = Math.ceil(values.length / bucket);
  const scales = new Float32Array(buckets);
  const offsets = new Float32Array(buckets);
  const placed = place(values);
  forEachGroup(
    values.length,
    bucket,
    placed.memory,
    ({ start, length, first, scales: ofGroup, offsets: alsoOfGroup }) => {
      const { kernels, address } = placed;
      kernels.bucketRanges(address + 4 * start, length, bucket, symmetric, ofGroup.byteOffset, alsoOfGroup.byteOffset);
      scales.set(ofGroup, first);
      offsets.set(alsoOfGroup, first);
    },
  );
  return { count, bucket, scales, offsets };
}

/**
 * Replaces each number by the nearest level of its bucket, in place (in the middle, by the one of even k); with a `seed`, by one of
 * the two around it at random, so that it stays what it is on average.
 */
export function roundToUniformLevels(values: Float32Array, levels: UniformLevels, seed?: number): void {
  const { count, bucket } = levels;
  const placed = place(values);
  forEachGroup(values.length, bucket, placed.memory, ({ start, length, first, scales, offsets }) => {
    scales.set(levels.scales.subarray(first, first + scales.length));
    offsets.set(levels.offsets.subarray(first, first + offsets.length));
    const { kernels, address } = placed;
    const numbers = address + 4 * start;
    const last = count - 1;
    if (seed === undefined) kernels.roundToLevels(numbers, length, bucket, last, scales.byteOffset, offsets.byteOffset);
    else kernels.roundAtRandom(numbers, length, bucket, last, scales.byteOffset, offsets.byteOffset, seed, start);
  });
  if (placed.copy) values.set(placed.copy);
}

/** Buckets that a kernel works on at once, and room for their scales and offsets in its scratch space. */
interface BucketGroup {
  /** Index of the first number, and how many there are. */
  readonly start: number;
  readonly length: number;
  /** Index of the first bucket. */
  readonly first: number;
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
}

function forEachGroup(
  length: number,
  bucket: number,
  memory: WebAssembly.Memory,
  work: (group: BucketGroup) => void,
): void {
  const most = scratch.bytes / (2 * Float32Array.BYTES_PER_ELEMENT);
  const buckets = Math.ceil(length / bucket);
  for (let first = 0; first < buckets; first += most) {
    const count = Math.min(most, buckets - first);
    const start = first * bucket;
    const scales = new Float32Array(memory.buffer, scratch.address, count);
    work({
      start,
      length: Math.min(count * bucket, length - start),
      first,
      scales,
      offsets: new Float32Array(memory.buffer, scales.byteOffset + scales.byteLength, count),
    });
  }
}

/** Levels in buckets: `scales[b] * table[code] + offsets[b]`; without scales, `table[code]`. */
export interface TableLevels {
  /** At most 256, ascending. */
  readonly table: Float32Array;
  /** Numbers of a bucket; the last may have fewer. */
  readonly bucket: number;
  readonly scales?: Float32Array;
  readonly offsets?: Float32Array;
}

/**
 * Replaces each number by the nearest level of its bucket, in place, by the upper one in the middle. Not-a-number stays, so that it
 * shows that training has diverged.
 *
 * @param codes where the code of each number goes, if it is wanted
 */
export function roundToTable(values: Float32Array, levels: TableLevels, codes?: Uint8Array): void {
  const { table, bucket } = levels;
  const { length } = values;
  const { scales, offsets } = scaledBuckets(levels, length);
  const midpoints = midpointsOf(table);
  const arrays = [values, table, midpoints, scales, offsets];
  const { kernels, buffer, addresses } = makeRoom([...arrays.map(({ byteLength }) => byteLength), length]);
  arrays.forEach((array, i) => new Float32Array(buffer, addresses[i], array.length).set(array));
  const [atValues, atTable, atMidpoints, atScales, atOffsets, atCodes] = addresses;
  kernels.roundToTable(atValues, length, bucket, atTable, atMidpoints, table.length, atScales, atOffsets, atCodes);
  values.set(new Float32Array(buffer, atValues, length));
  codes?.set(new Uint8Array(buffer, atCodes, length));
}

/** A scale and an offset for each bucket. */
function scaledBuckets({ bucket, scales, offsets }: Omit<TableLevels, 'table'>, length: number) {
  const buckets = Math.ceil(length / bucket);
  return {
    scales: scales ?? new Float32Array(buckets).fill(1),
    offsets: offsets ?? new Float32Array(buckets),
  };
}

/** What lies in the middle of each two levels, filled up with infinities to one less than a power of two. */
function midpointsOf(table: Float32Array): Float32Array {
  const midpoints = new Float32Array(2 ** Math.ceil(Math.log2(table.length)) - 1).fill(Infinity);
  for (let i = 1; i < table.length; i++) midpoints[i - 1] = roundedUp((table[i - 1] + table[i]) / 2);
  return midpoints;
}

/** The least float32 that is not below a number: the same float32 numbers reach it. */
function roundedUp(value: number): number {
  const nearest = Float32Array.of(value);
  if (nearest[0] < value) new Int32Array(nearest.buffer)[0] += nearest[0] < 0 ? -1 : 1;
  return nearest[0];
}

/**
 * The sum of `scale * slope` over the numbers of each level, with the scale of the number's bucket.
 * @param codes of the numbers
 * @param count of the levels
 */
export function sumByLevel(
  slopes: Float32Array,
  codes: Uint8Array,
  { bucket, scales, offsets }: Omit<TableLevels, 'table'>,
  count: number,
): Float64Array {
  const { length } = slopes;
  const ofBuckets = scaledBuckets({ bucket, scales, offsets }, length).scales;
  const { kernels, buffer, addresses } = makeRoom([slopes.byteLength, length, ofBuckets.byteLength, 4 * 8 * count]);
  const [atSlopes, atCodes, atScales, atSums] = addresses;
  new Float32Array(buffer, atSlopes, length).set(slopes);
  new Uint8Array(buffer, atCodes, length).set(codes);
  new Float32Array(buffer, atScales, ofBuckets.length).set(ofBuckets);
  kernels.sumByLevel(atSlopes, atCodes, length, bucket, atScales, count, atSums);
  return new Float64Array(buffer, atSums, count).slice();
}

/** What the quantization of a bucket means for its scale. */
export interface BucketGradient {
  /** `sum slope * (quantized - full)` */
  readonly sum: number;
  /** Places of the least and the greatest number, the first of several. */
  readonly least: number;
  readonly greatest: number;
}

/** The gradient of each bucket of numbers before and after they were quantized. */
export function bucketGradients(
  slopes: Float32Array,
  full: Float32Array,
  quantized: Float32Array,
  bucket: number,
): BucketGradient[] {
  const { length, byteLength } = slopes;
  const buckets = Math.ceil(length / bucket);
  const { kernels, buffer, addresses } = makeRoom([byteLength, byteLength, byteLength, 16 * buckets]);
  const [atSlopes, atFull, atQuantized, atResults] = addresses;
  [slopes, full, quantized].forEach((array, i) => new Float32Array(buffer, addresses[i], length).set(array));
  kernels.bucketGradients(atSlopes, atFull, atQuantized, length, bucket, atResults);
  const sums = new Float64Array(buffer, atResults, 2 * buckets);
  const places = new Int32Array(buffer, atResults, 4 * buckets);
  return Array.from({ length: buckets }, (_, b) => ({
    sum: sums[2 * b],
    least: places[4 * b + 2],
    greatest: places[4 * b + 3],
  }));
}
