/**
 * @file Decompression that is bounded by what the content says of itself: a file of a few kilobytes may decompress to
 * gigabytes, so that its header is read first.
 */
import { constants, gunzipSync, inflateRawSync } from 'node:zlib';
import { FormatError } from './formatError.ts';

const decompress = { gzip: gunzipSync, deflate: inflateRawSync };

/** True for a content in the gzip format, by its first bytes. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Compressed bytes that hold the header of every format here; they make a thousand times as many at most. */
const HEAD_BYTES = 2 ** 14;
/** Decompressed bytes at most: 2 GiB. */
const MOST_BYTES = 2 ** 31;

/**
 * @param sizeOf bytes of the whole content, as its header says; it gets at least the beginning of the content, and throws a
 * FormatError for a header that is none
 * @throws FormatError for damaged data, and for those that have more bytes than their header says
 */
export function inflate(
  compressed: Uint8Array,
  method: keyof typeof decompress,
  sizeOf: (head: Uint8Array) => number,
): Uint8Array {
  const head = compressed.subarray(0, HEAD_BYTES);
  const most = sizeOf(inflateHead(head, method, head.length === compressed.length));
  if (!(most <= MOST_BYTES))
    throw new FormatError(
      `its header tells of ${most} bytes; from a compressed file, at most ${MOST_BYTES} can be read`,
    );
  try {
    // One more than expected: what has too many is then told with the rest of the checks, unless it is a bomb.
    return decompress[method](compressed, { maxOutputLength: most + 1 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new FormatError(`it decompresses to more than the ${most} bytes that its header tells of`);
    throw damaged(error);
  }
}

/**
 * The beginning of a content.
 * @param head the first of its compressed bytes
 * @param isWhole true where these are all: their end has to be there
 * @throws FormatError for damaged data
 */
export function inflateHead(head: Uint8Array, method: keyof typeof decompress, isWhole: boolean): Uint8Array {
  try {
    return decompress[method](head, { finishFlush: isWhole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw damaged(error);
  }
}

function damaged(error: unknown): FormatError {
  return new FormatError(`its compression is damaged (${(error as Error).message})`);
}
