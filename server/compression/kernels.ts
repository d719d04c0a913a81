/** @file The WebAssembly kernels of `assembly/`, in place on an arena's views and through a copy on other arrays. */
import { compileKernels, instantiateKernels, PAGE } from '../memory/instantiate.ts';
import { Arena, scratch } from '../memory/arena.ts';
import { wasmBase64 } from './generated/wasm.ts';

/** See assembly/; addresses and sizes in bytes, lengths and counts in weights. */
interface Kernels {
  pruneSmallest(values: number, length: number, count: number, scratch: number, scratchBytes: number): void;
  moments(values: number, length: number, result: number): void;
  countBins(
    values: number,
    length: number,
    minimum: number,
    scale: number,
    bins: number,
    bound: number,
    result: number,
  ): void;
  bucketRanges(
    values: number,
    length: number,
    bucket: number,
    symmetric: boolean,
    scales: number,
    offsets: number,
  ): void;
  roundToLevels(
    values: number,
    length: number,
    bucket: number,
    last: number,
    scales: number,
    offsets: number,
  ): void;
  roundAtRandom(
    values: number,
    length: number,
    bucket: number,
    last: number,
    scales: number,
    offsets: number,
    seed: number,
    first: number,
  ): void;
}

const module = compileKernels(wasmBase64);
const kernelsOf = new WeakMap<WebAssembly.Memory, Kernels>();

function kernelsIn(memory: WebAssembly.Memory): Kernels {
  let kernels = kernelsOf.get(memory);
  if (!kernels) {
    kernels = instantiateKernels<Kernels>(module, memory);
    kernelsOf.set(memory, kernels);
  }
  return kernels;
}

/** Where weights that live outside an arena are copied to; grows to the largest of them. */
const copies = new WebAssembly.Memory({ initial: 4 });
const copyAddress = scratch.address + scratch.bytes;

/** Weights in a memory that kernels can work on; {@link scratch} is free in it. */
interface Placed {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly address: number;
  /** The weights' copy, where they are not in an arena themselves. */
  readonly copy?: Float32Array;
}

function place(values: Float32Array): Placed {
  const memory = Arena.of(values)?.memory;
  if (memory) return { kernels: kernelsIn(memory), memory, address: values.byteOffset };
  const missing = copyAddress + values.byteLength - copies.buffer.byteLength;
  if (missing > 0) copies.grow(Math.ceil(missing / PAGE));
  const copy = new Float32Array(copies.buffer, copyAddress, values.length);
  copy.set(values);
  return { kernels: kernelsIn(copies), memory: copies, address: copyAddress, copy };
}

/**
 * Sets the `count` weights of smallest magnitude to zero, in place. Weights that are zero already are the smallest; among
 * equal magnitudes the lower index goes first. NaN counts as the largest.
 *
 * @param count 0 to `values.length`
 * @throws RangeError for another count
 */
export function pruneSmallest(values: Float32Array, count: number): void {
  if (!(count >= 0 && count <= values.length))
    throw new RangeError(`Cannot prune ${count} of ${values.length} weights.`);
  const { kernels, address, copy } = place(values);
  kernels.pruneSmallest(address, values.length, count, scratch.address, scratch.bytes);
  if (copy) values.set(copy);
}

/** Range and standard deviation of the finite values. */
export interface Moments {
  /** Above `maximum` where there is no finite value. */
  readonly minimum: number;
  readonly maximum: number;
  /** Population standard deviation. */
  readonly deviation: number;
}

export function momentsOf(values: Float32Array): Moments {
  const { kernels, memory, address } = place(values);
  kernels.moments(address, values.length, scratch.address);
  const [minimum, maximum, sum, squares, count] = new Float64Array(memory.buffer, scratch.address, 5);
  const variance = count > 0 ? squares / count - (sum / count) ** 2 : 0;
  return { minimum, maximum, deviation: Math.sqrt(Math.max(variance, 0)) };
}

/** Counts of finite values in equal-width bins, of zeros, and of `0 < |w| < bound`. */
export interface BinCounts {
  readonly counts: number[];
  readonly zeros: number;
  readonly nearZeros: number;
}

/** @param bins at most 16,000, over [minimum, maximum], in which all finite values lie */
export function countBins(
  values: Float32Array,
  { minimum, maximum }: Pick<Moments, 'minimum' | 'maximum'>,
  bins: number,
  bound: number,
): BinCounts {
  const scale = maximum > minimum ? bins / (maximum - minimum) : 0;
  const { kernels, memory, address } = place(values);
  kernels.countBins(address, values.length, minimum, scale, bins, bound, scratch.address);
  const half = bins + 1;
  const result = new Int32Array(memory.buffer, scratch.address, 2 * half + 2);
  const counts = Array.from({ length: bins }, (_, bin) => result[bin] + result[half + bin]);
  counts[bins - 1] += result[bins] + result[half + bins];
  return { counts, zeros: result[2 * half], nearZeros: result[2 * half + 1] };
}

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
  forEachGroup(values.length, bucket, placed.memory, ({ start, length, first, scales: ofGroup, offsets: alsoOfGroup }) => {
    const { kernels, address } = placed;
    kernels.bucketRanges(address + 4 * start, length, bucket, symmetric, ofGroup.byteOffset, alsoOfGroup.byteOffset);
    scales.set(ofGroup, first);
    offsets.set(alsoOfGroup, first);
  });
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
    if (seed === undefined)
      kernels.roundToLevels(numbers, length, bucket, last, scales.byteOffset, offsets.byteOffset);
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
