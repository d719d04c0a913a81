/**
 * @file The memory in which parameters, gradients and optimizer state live: WebAssembly.Memory, so that ONNX Runtime
 * reads and writes its views in place and the optimizer's WebAssembly kernels update them in place. No weight is copied.
 * A kernel works in one memory, which has 4 GiB at most: what one call of it needs is allocated from one {@link Arena}, and a model
 * that is larger has several.
 */
import { PAGE } from './instantiate.ts';

/** Bytes of a cache line; every view starts on one. */
const ALIGNMENT = 64;
/** The first bytes are left to the static data of WebAssembly modules that import the memory. */
const STATIC_BYTES = 4096;
/** Scratch space of WebAssembly kernels, behind the static data; its content lasts for one kernel call. */
export const scratch = { address: STATIC_BYTES, bytes: 128 * 1024 } as const;
/**
 * Bytes that can be allocated in an {@link Arena}: a WebAssembly.Memory has 65,536 pages at most. The last one stays free, so that the
 * address behind every view fits in 32 bits.
 */
export const ARENA_LIMIT = 65535 * PAGE - (scratch.address + scratch.bytes);

const arenas = new WeakMap<ArrayBufferLike, Arena>();

/** Bytes that `length` float32 (or int32) elements take in an {@link Arena}. */
export function arenaBytes(length: number): number {
  return Math.ceil((length * 4) / ALIGNMENT) * ALIGNMENT;
}

/** Allocates aligned views from one WebAssembly.Memory of fixed size; nothing is freed before the arena is. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  #next = scratch.address + scratch.bytes;

  /**
   * @param bytes total of {@link arenaBytes} of everything that will be allocated
   * @param shared true where threads are to work in the memory, too: the views have a SharedArrayBuffer then
   * @throws RangeError where the system does not give the memory
   */
  constructor(bytes: number, shared = false) {
    const pages = Math.ceil((bytes + this.#next) / PAGE);
    const descriptor = { initial: pages, maximum: pages, shared };
    this.memory = new WebAssembly.Memory(descriptor);
    arenas.set(this.memory.buffer, this);
  }

  /** The arena that a view was allocated from, if it was. */
  static of(view: ArrayBufferView): Arena | undefined {
    return arenas.get(view.buffer);
  }

  /** A zeroed view of `length` float32; its `byteOffset` is its address for WebAssembly kernels. */
  float32(length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.memory.buffer, this.#allocate(length), length);
  }

  /** A zeroed view of `length` int32. */
  int32(length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.memory.buffer, this.#allocate(length), length);
  }

  #allocate(length: number): number {
    const offset = this.#next;
    this.#next += arenaBytes(length);
    if (this.#next > this.memory.buffer.byteLength)
      throw new RangeError('The arena is full; it was created too small.');
    return offset;
  }
}

/**
 * Arenas for groups of views, the views of a group in one of them. Neighbours share an arena as far as they fit in it.
 * @param groups bytes of each group: the total of {@link arenaBytes} of its views, at most `limit`
 * @param limit bytes of an arena
 * @param shared as for an {@link Arena}
 * @returns the arena of each group
 * @throws RangeError where the system does not give the memory
 */
export function createArenas(groups: readonly number[], limit = ARENA_LIMIT, shared = false): Arena[] {
  const sharing: number[][] = [];
  let bytes = Infinity;
  for (const group of groups) {
    if (bytes + group > limit) {
      sharing.push([]);
      bytes = 0;
    }
    sharing.at(-1)?.push(group);
    bytes += group;
  }
  return sharing.flatMap((own) => {
    const arena = new Arena(
      own.reduce((sum, group) => sum + group, 0),
      shared,
    );
    return own.map(() => arena);
  });
}
