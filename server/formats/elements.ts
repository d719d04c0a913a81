/** @file Typed arrays over the bytes of a file. */

/** Elements of every type that a file may have. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

export interface ElementArray<T> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
}

/**
 * The bytes as elements in the machine's byte order: a view of them where their alignment allows, else a copy. (`slice` of
 * a Node.js Buffer is a view at the same odd address, so that it does not make a copy.)
 */
export function elementsOf<T>(bytes: Uint8Array, Elements: ElementArray<T>): T {
  const aligned = bytes.byteOffset % Elements.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new Elements(aligned.buffer, aligned.byteOffset, aligned.byteLength / Elements.BYTES_PER_ELEMENT);
}
