/** @file The WebAssembly kernel of magnitude pruning, in place on an arena's views and through a copy on other arrays. */
import { Arena, scratch } from '../compiler/arena.ts';
import { wasmBase64 } from './generated/wasm.ts';

interface Kernels {
  /** See assembly/prune.ts; addresses and sizes in bytes, length and count in weights. */
  pruneSmallest(values: number, length: number, count: number, scratch: number, scratchBytes: number): void;
}

const module = new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'));
const kernelsOf = new WeakMap<WebAssembly.Memory, Kernels>();

function kernelsIn(memory: WebAssembly.Memory): Kernels {
  let kernels = kernelsOf.get(memory);
  if (!kernels) {
    kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
    kernelsOf.set(memory, kernels);
  }
  return kernels;
}

const PAGE = 65536;
/** Where weights that live outside an arena are copied to; grows to the largest of them. */
const copies = new WebAssembly.Memory({ initial: 4 });
const copyAddress = scratch.address + scratch.bytes;

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
  const arena = Arena.of(values);
  if (arena) {
    const kernels = kernelsIn(arena.memory);
    kernels.pruneSmallest(values.byteOffset, values.length, count, scratch.address, scratch.bytes);
    return;
  }
  const missing = copyAddress + values.byteLength - copies.buffer.byteLength;
  if (missing > 0) copies.grow(Math.ceil(missing / PAGE));
  const copy = new Float32Array(copies.buffer, copyAddress, values.length);
  copy.set(values);
  kernelsIn(copies).pruneSmallest(copyAddress, values.length, count, scratch.address, scratch.bytes);
  values.set(copy);
}
