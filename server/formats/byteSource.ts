/** @file Bytes that a reader asks for by ranges: those of a file that is too large for memory, or of an array. */

export interface ByteSource {
  /** Number of bytes in all. */
  readonly length: number;
  /**
   * The bytes from `begin` to `end`, 0 <= begin <= end <= length: a copy, or a view that must not be changed.
   * @throws UserError where the system does not give them
   */
  read(begin: number, end: number): Uint8Array;
}

/** The bytes of an array, without a copy. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return { length: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}

/** A part of a source, as a source of its own. */
export function partOf(source: ByteSource, begin: number, end: number): ByteSource {
  return { length: end - begin, read: (from, to) => source.read(begin + from, begin + to) };
}
