/**
 * @file The memory in which parameters, gradients and optimizer state live: one WebAssembly.Memory, so that ONNX Runtime
 * reads and writes its views in place and the optimizer's WebAssembly kernels update them in place. No weight is copied.
 */

/** Bytes of a cache line; every view starts on one. */
const ALIGNMENT = 64;
/** The first bytes are left to the static data of WebAssembly modules that import the memory. */
const RESERVED = 4096;
const PAGE = 65536;

/** Bytes that `length` float32 (or int32) elements take in an {@link Arena}. */
export function arenaBytes(length: number): number {
  return Math.ceil((length * 4) / ALIGNMENT) * ALIGNMENT;
}

/** Allocates aligned views from one WebAssembly.Memory of fixed size; nothing is freed before the arena is. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  #next = RESERVED;

  /** @param bytes total of {@link arenaBytes} of everything that will be allocated */
  constructor(bytes: number) {
    const pages = Math.ceil((bytes + RESERVED) / PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
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
