/** @file The content of a file, a piece at a time: it may be larger than an array can be, or than memory has room for twice. */

export interface FilePieces {
  /** Bytes of all pieces. */
  readonly bytes: number;
  /** In the order of the file. A piece is a view of what the file is made of, which must not change before all of them are written. */
  readonly pieces: Iterable<Uint8Array>;
}

/** Most bytes of a piece: neither a hash nor the system takes 2 GiB at a time. */
const PIECE_BYTES = 2 ** 26;

/** Bytes as pieces of at most `most` bytes. */
export function* inPieces(bytes: Uint8Array, most = PIECE_BYTES): Generator<Uint8Array> {
  for (let begin = 0; begin < bytes.length; begin += most) yield bytes.subarray(begin, begin + most);
}

/** All of the content in one array. @throws RangeError where no array can be so large */
export function joinPieces({ bytes, pieces }: FilePieces): Uint8Array {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
