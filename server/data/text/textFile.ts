/**
 * @file Words of a text file: UTF-8, separated by white space, with {@link END_OF_SENTENCE} at the end of each line, as
 * Mikolov's Penn Treebank files are read. White space is Unicode's, and lines end with LF, CR LF or CR, as Python reads
 * texts. A file is read in pieces that end between words, so that it can be larger than memory and be entered at any piece.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { ENCODING_REMEDY, notUtf8 } from '../../formats/text.ts';
import { reasonOf } from '../../protocol/systemError.ts';
import { UserError } from '../../protocol/userError.ts';

export const END_OF_SENTENCE = '<eos>';

const PIECE_BYTES = 2 ** 16;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Bytes after which a piece may end. */
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
      // Before it is opened: to open a pipe waits for who writes it.
      const status = statSync(path);
      if (!status.isFile()) throw new Error(status.isDirectory() ? 'it is a folder' : 'it is no regular file');
      this.#descriptor = openSync(path, 'r');
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
    if (!isLast) while (length > 0 && !this.#canEnd(length, read)) length--;
    if (length === 0)
      throw new UserError(
        `data: ${this.path} has no space and no line end in the ${PIECE_BYTES} bytes from byte ${begin} on.`,
        {
          remedy: 'Separate words by spaces and sentences by line ends.',
        },
      );
    const bytes = this.#buffer.subarray(0, length);
    const problem = notUtf8(bytes, begin);
    if (problem !== undefined) throw new UserError(`data: ${this.path} ${problem}.`, { remedy: ENCODING_REMEDY });
    const words = wordsOf(bytes.toString('utf8'));
    if (isLast && !isLineEnd(bytes[length - 1])) words.push(END_OF_SENTENCE);
    return { begin, end: begin + length, words };
  }

  /** The first byte behind the line end at or after `position`, or behind the last of `count` of them, or the end of the file. */
  lineBehind(position: number, count = 1): number {
    let found = 0;
    let isBehindReturn = false;
    for (let at = position; at < this.end; at += PIECE_BYTES) {
      const read = readSync(this.#descriptor, this.#buffer, 0, Math.min(PIECE_BYTES, this.end - at), at);
      for (let i = 0; i < read; i++) {
        const byte = this.#buffer[i];
        // CR LF is one line end.
        if (isBehindReturn && byte !== LINE_FEED && ++found === count) return at + i;
        isBehindReturn = byte === CARRIAGE_RETURN;
        if (byte === LINE_FEED && ++found === count) return at + i + 1;
      }
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

  /** True where a piece of the bytes that were read may end before byte `length`: behind white space, not between CR and LF. */
  #canEnd(length: number, read: number): boolean {
    const last = this.#buffer[length - 1];
    if (last !== CARRIAGE_RETURN) return whitespace.has(last);
    return length < read && this.#buffer[length] !== LINE_FEED;
  }
}

function isLineEnd(byte: number): boolean {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN;
}

/** Byte order marks, which are inside a text that was put together from several files, are no part of a word. */
function wordsOf(text: string): string[] {
  const words: string[] = text.replaceAll('\uFEFF', '').match(/\r\n?|\n|[^\s\u0085]+/g) ?? [];
  for (let i = 0; i < words.length; i++) if (/^[\r\n]/.test(words[i])) words[i] = END_OF_SENTENCE;
  return words;
}
