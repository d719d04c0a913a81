/** @file The memory of the WebAssembly kernels: weights first, then what one input needs while it passes through the model. */
import { FormatError } from '../server/formats/formatError.ts';

const PAGE = 65536;
/** The first bytes are left to the module: no array has the address 0. */
const FIRST = 1024;
/** Every array begins at a multiple of this. */
const ALIGNMENT = 16;
/** All that a WebAssembly.Memory can have. */
const MOST_BYTES = 65536 * PAGE;

/** Allocates one array after the other. Growing detaches the views there are: take a new one after each allocation. */
export class LinearMemory {
  readonly memory = new WebAssembly.Memory({ initial: 1 });
  #next = FIRST;

  /** Bytes that are allocated. */
  get used(): number {
    return this.#next - FIRST;
  }

  /** @returns the address of so many bytes, of any content; @throws FormatError where there is not so much memory */
  allocate(bytes: number): number {
    const address = this.#next;
    const end = address + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    const missing = end - this.memory.buffer.byteLength;
    if (missing > 0) this.#grow(end, missing);
    this.#next = end;
    return address;
  }

  /** @returns the address of a copy */
  store(values: Float32Array | Int32Array): number {
    const address = this.allocate(values.byteLength);
    new Uint8Array(this.memory.buffer).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      address,
    );
    return address;
  }

  /** Gives back all that was allocated since `used` was this. */
  release(used: number): void {
    this.#next = FIRST + used;
  }

  floats(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.memory.buffer, address, length);
  }

  bytes(address: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  integers(address: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.memory.buffer, address, length);
  }

  #grow(end: number, missing: number): void {
    try {
      if (end > MOST_BYTES) throw new RangeError();
      this.memory.grow(Math.ceil(missing / PAGE));
    } catch {
      throw new FormatError(`it needs ${end} bytes of memory, which are not there`);
    }
  }
}
