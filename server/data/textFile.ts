/**
 * @file Words of a text file: UTF-8, separated by white space, with {@link END_OF_SENTENCE} at the end of each line, as
 * Mikolov's Penn Treebank files are read. A file is read in pieces that end between words, so that it can be larger than
 * memory and be entered at any piece.
 */
import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { reasonOf } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';

export const END_OF_SENTENCE = '<eos>';

const PIECE_BYTES = 2 ** 16;
const NEW_LINE = 0x0a;
const whitespace: ReadonlySet<number> = new Set([...' \t\r\v\f\n'].map((character) => character.charCodeAt(0)));

/** A file, or whole lines of one. */
export interface TextPart {
  /** Absolute. */
  readonly path: string;
  /** Bytes [begin, end); the whole file where they are left out. */
  readonly begin?: number;
  readonly end?: number;
}

/** Some of the words of a text, in order. */
export interface TextPiece {
  /** Byte of the file at which it begins. */
  readonly begin: number;
  readonly words: readonly string[];
}

/** An open text file. */
export class TextFile {
  readonly path: string;
  readonly begin: number;
  readonly end: number;
  readonly #descriptor: number;
  readonly #buffer = Buffer.alloc(PIECE_BYTES);

  /** @throws UserError when the file cannot be read */
  constructor({ path, begin = 0, end }: TextPart) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, 'r');
      const status = fstatSync(this.#descriptor);
      if (status.isDirectory()) throw new Error('it is a folder');
      this.begin = begin;
      this.end = end ?? status.size;
    } catch (error) {
      throw new UserError(`data: ${path} cannot be read: ${reasonOf(error)}.`, {
        remedy: 'Correct the path in the experiment file; it is relative to that file.',
        cause: error,
      });
    }
  }

  /** All pieces in order. */
  *pieces(): Generator<TextPiece & { end: number }> {
    for (let begin = this.begin; begin < this.end;) {
      const piece = this.pieceAt(begin);
      yield piece;
      begin = piece.end;
    }
  }

  /**
   * @param begin where a piece began when all were read
   * @throws UserError naming the byte where the text is not UTF-8, or where words have no end
   */
  pieceAt(begin: number): TextPiece & { end: number } {
    const wanted = Math.min(PIECE_BYTES, this.end - begin);
    const read = readSync(this.#descriptor, this.#buffer, 0, wanted, begin);
    if (read < wanted) throw this.changed();
    const isLast = begin + read === this.end;
    let length = read;
    if (!isLast) while (length > 0 && !whitespace.has(this.#buffer[length - 1])) length--;
    if (length === 0)
      throw new UserError(
        `data: ${this.path} has no space and no line end in the ${PIECE_BYTES} bytes from byte ${begin} on.`,
        {
          remedy: 'Separate words by spaces and sentences by line ends.',
        },
      );
    const bytes = this.#buffer.subarray(0, length);
    if (!isUtf8(bytes)) throw this.#invalid(begin, bytes);
    const words = wordsOf(bytes.toString('utf8'), begin === 0);
    if (isLast && bytes[length - 1] !== NEW_LINE) words.push(END_OF_SENTENCE);
    return { begin, end: begin + length, words };
  }

  /** The first byte behind the line end at or after `position`, or the end of the file. */
  lineBehind(position: number): number {
    for (let at = position; at < this.end; at += PIECE_BYTES) {
      const read = readSync(this.#descriptor, this.#buffer, 0, Math.min(PIECE_BYTES, this.end - at), at);
      const found = this.#buffer.subarray(0, read).indexOf(NEW_LINE);
      if (found >= 0) return at + found + 1;
    }
    return this.end;
  }

  changed(): UserError {
    return new UserError(`data: ${this.path} has changed since training began.`, {
      remedy: 'Put the text back as it was, or start a new run.',
    });
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #invalid(begin: number, bytes: Buffer): UserError {
    const at = firstInvalidByte(bytes);
    const value = bytes[at].toString(16).toUpperCase().padStart(2, '0');
    const isUtf16 = begin + at === 0 && (value === 'FF' || value === 'FE');
    return new UserError(
      `data: ${this.path} is not UTF-8: byte ${begin + at} is 0x${value}${isUtf16 ? ', as of UTF-16' : ''}.`,
      {
        remedy: 'Save the file as UTF-8, or convert it: iconv -f ENCODING -t UTF-8.',
      },
    );
  }
}

/** A byte order mark is no word. */
function wordsOf(text: string, isStart: boolean): string[] {
  const words: string[] = (isStart ? text.replace(/^\uFEFF/, '') : text).match(/\n|[^ \t\r\v\f\n]+/g) ?? [];
  for (let i = 0; i < words.length; i++) if (words[i] === '\n') words[i] = END_OF_SENTENCE;
  return words;
}

/** Decoding puts U+FFFD at the first byte that is wrong; what is before it has as many bytes decoded as encoded. */
function firstInvalidByte(bytes: Buffer): number {
  const text = bytes.toString('utf8');
  const replacement = Buffer.from('\uFFFD');
  for (let i = text.indexOf('\uFFFD'); i >= 0; i = text.indexOf('\uFFFD', i + 1)) {
    const at = Buffer.byteLength(text.slice(0, i));
    if (!bytes.subarray(at, at + replacement.length).equals(replacement)) return at;
  }
  throw new RangeError('The bytes are UTF-8.');
}
