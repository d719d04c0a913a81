/** @file Lines of a text file, one after the other: it may be larger than memory. */
import { closeSync, openSync, readSync } from 'node:fs';
import { ENCODING_REMEDY, notUtf8 } from '../../formats/text.ts';
import { UserError } from '../../protocol/userError.ts';

/** Bytes that are read at once. */
const PIECE_BYTES = 2 ** 18;
/** Bytes of a line at most; a longer one is cut before a white space, or where a character ends. */
const LONGEST_LINE = 2 ** 16;
const LINE_FEED = 0x0a;
const SPACE = 0x20;

export interface TextLine {
  /** With its end. Byte order marks are left out. */
  readonly text: string;
  /** Byte of the file behind it. */
  readonly end: number;
}

/**
 * @param path absolute
 * @param begin first byte @param end the one behind the last
 * @throws UserError that names the byte where the text is not UTF-8
 */
export function* linesOf(path: string, begin: number, end: number): Generator<TextLine> {
  const descriptor = openSync(path, 'r');
  try {
    let rest: Buffer = Buffer.alloc(0);
    let at = begin;
    for (let next = begin; next < end || rest.length > 0;) {
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, end - next));
      const read = piece.length === 0 ? 0 : readSync(descriptor, piece, 0, piece.length, next);
      next = read < piece.length ? end : next + read;
      const bytes = Buffer.concat([rest, piece.subarray(0, read)]);
      let done = 0;
      for (let line = lineBytes(bytes, done, next === end); line > 0; line = lineBytes(bytes, done, next === end)) {
        const part = bytes.subarray(done, done + line);
        const problem = notUtf8(part, at);
        if (problem !== undefined) throw new UserError(`data: ${path} ${problem}.`, { remedy: ENCODING_REMEDY });
        done += line;
        at += line;
        yield { text: part.toString('utf8').replaceAll('\uFEFF', ''), end: at };
      }
      rest = bytes.subarray(done);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Bytes of the line that begins there; 0 where its end has not been read. */
function lineBytes(bytes: Buffer, begin: number, isAll: boolean): number {
  const feed = bytes.indexOf(LINE_FEED, begin);
  const length = (feed < 0 ? bytes.length : feed + 1) - begin;
  if (length <= LONGEST_LINE) return feed >= 0 || isAll ? length : 0;
  const space = bytes.lastIndexOf(SPACE, begin + LONGEST_LINE);
  if (space > begin) return space - begin;
  let cut = begin + LONGEST_LINE;
  // Bytes 10xxxxxx go on with a character.
  while (cut > begin + 1 && (bytes[cut] & 0xc0) === 0x80) cut--;
  return cut - begin;
}
