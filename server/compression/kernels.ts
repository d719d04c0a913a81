/** @file The WebAssembly kernels of `assembly/`, in place on an arena's views and through a copy on other arrays. */
import { KernelCode, MOST_PAGES, PAGE } from '../memory/instantiate.ts';
import { Arena, scratch } from '../memory/arena.ts';
import { wasmBase64 } from './generated/wasm.ts';

/** See assembly/; addresses and sizes in bytes, lengths and counts in weights. */
export interface Kernels {
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
  roundToLevels(values: number, length: number, bucket: number, last: number, scales: number, offsets: number): void;
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
  roundToTable(
    values: number,
    length: number,
    bucket: number,
    table: number,
    midpoints: number,
    count: number,
    scales: number,
    offsets: number,
    codes: number,
  ): void;
  sumByLevel(
    slopes: number,
    codes: number,
    length: number,
    bucket: number,
    scales: number,
    count: number,
    sums: number,
  ): void;
  bucketGradients(slopes: number, before: number, after: number, length: number, bucket: number, results: number): void;
}

const code = new KernelCode<Kernels>(wasmBase64);

/** Memory that weights outside an arena are copied to; it grows to the largest of them. */
const copies = new WebAssembly.Memory({ initial: 4, maximum: MOST_PAGES });
const copyAddress = scratch.address + scratch.bytes;
/** Bytes of a vector, on which every array begins. */
const ALIGNMENT = 16;

/** Weights in a memory that kernels can work on; {@link scratch} is free in it. */
export interface Placed {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly address: number;
  /** The weights' copy, where they are not in an arena themselves. */
  readonly copy?: Float32Array;
}

/** The kernels' memory with the weights in it: the arena that they live in, or a copy, which lasts until the next call. */
export function place(values: Float32Array): Placed {
  const memory = Arena.of(values)?.memory;
  if (memory) return { kernels: code.kernelsIn(memory), memory, address: values.byteOffset };
  growCopies(values.byteLength);
  const copy = new Float32Array(copies.buffer, copyAddress, values.length);
  copy.set(values);
  return { kernels: code.kernelsIn(copies), memory: copies, address: copyAddress, copy };
}

function growCopies(bytes: number): void {
  const missing = copyAddress + bytes - copies.buffer.byteLength;
  if (missing > 0) copies.grow(Math.ceil(missing / PAGE));
}

/** Room for several arrays in one memory that kernels can work on, until the next call for other ones. */
export interface Room {
  readonly kernels: Kernels;
  readonly buffer: ArrayBuffer;
  readonly addresses: readonly number[];
}

/** @param sizes of the arrays, in bytes */
export function makeRoom(sizes: readonly number[]): Room {
  let next = copyAddress;
  const addresses = sizes.map((bytes) => {
    const address = next;
    next += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return address;
  });
  growCopies(next - copyAddress);
  return { kernels: code.kernelsIn(copies), buffer: copies.buffer, addresses };
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

/** {@link pruneSmallest} of several arrays together, in their order, through a copy of all of them. */
export function pruneSmallestOf(arrays: readonly Float32Array[], count: number): void {
  const length = arrays.reduce((sum, array) => sum + array.length, 0);
  const { kernels, buffer, addresses } = makeRoom([length * Float32Array.BYTES_PER_ELEMENT]);
  const joined = new Float32Array(buffer, addresses[0], length);
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  kernels.pruneSmallest(joined.byteOffset, length, count, scratch.address, scratch.bytes);
  at = 0;
  for (const array of arrays) array.set(joined.subarray(at, (at += array.length)));
}

/** Range and standard deviation of the finite values. */
export interface Moments {
  /** Above `maximum` where there is no finite value. */
  readonly minimum: number;
  readonly maximum: number;
  /** Population standard deviation. */
  readonly deviation: number;
}

/** One pass over all values; NaN and infinite ones count as none. */
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
