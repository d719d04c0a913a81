/** @file A text as the numbers of its words: in memory where they fit, else read from the file as they are needed. */
import { TextFile, type TextPart } from './textFile.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Numbers in memory, over all texts of a data set: 1 GiB. */
export const TOKEN_BUDGET = 2 ** 28;

/** Reads on from wherever it was, cheaply; each row of a batch has its own. */
export interface TokenReader {
  /** Copies the tokens from number `begin` on into `into`, which they must fill. */
  read(begin: number, into: Int32Array): void;
}

export interface TokenSource {
  readonly path: string;
  readonly length: number;
  reader(): TokenReader;
  close(): void;
}

/**
 * @param budget numbers that may be kept in memory
 * @throws UserError when the text cannot be read or is not UTF-8
 */
export function openTokens(part: TextPart, vocabulary: Vocabulary, budget: number): TokenSource {
  const file = new TextFile(part);
  try {
    const pieces: { begin: number; first: number }[] = [];
    let kept: Int32Array[] | undefined = [];
    let length = 0;
    for (const { begin, words } of file.pieces()) {
      pieces.push({ begin, first: length });
      length += words.length;
      if (length > budget) kept = undefined;
      kept?.push(numbersOf(words, vocabulary));
    }
    if (kept === undefined) return new StreamedTokens(file, vocabulary, pieces, length);
    file.close();
    return new TokensInMemory(file.path, concatenate(kept, length));
  } catch (error) {
    file.close();
    throw error;
  }
}

function numbersOf(words: readonly string[], vocabulary: Vocabulary): Int32Array {
  return Int32Array.from(words, (word) => vocabulary.numberOf(word));
}

function concatenate(parts: readonly Int32Array[], length: number): Int32Array {
  const result = new Int32Array(length);
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

export class TokensInMemory implements TokenSource {
  readonly path: string;
  readonly #tokens: Int32Array;

  constructor(path: string, tokens: Int32Array) {
    this.path = path;
    this.#tokens = tokens;
  }

  get length(): number {
    return this.#tokens.length;
  }

  reader(): TokenReader {
    return { read: (begin, into) => into.set(this.#tokens.subarray(begin, begin + into.length)) };
  }

  close(): void {}
}

/** Knows where each piece of the file begins, and its first token. */
class StreamedTokens implements TokenSource {
  readonly length: number;
  readonly #file: TextFile;
  readonly #vocabulary: Vocabulary;
  readonly #pieces: readonly { begin: number; first: number }[];

  constructor(
    file: TextFile,
    vocabulary: Vocabulary,
    pieces: readonly { begin: number; first: number }[],
    length: number,
  ) {
    this.#file = file;
    this.#vocabulary = vocabulary;
    this.#pieces = pieces;
    this.length = length;
  }

  get path(): string {
    return this.#file.path;
  }

  reader(): TokenReader {
    let piece = -1;
    let tokens: Int32Array = new Int32Array(0);
    const load = (index: number) => {
      tokens = numbersOf(this.#file.pieceAt(this.#pieces[index].begin).words, this.#vocabulary);
      if (tokens.length !== this.#firstOf(index + 1) - this.#firstOf(index)) throw this.#file.changed();
      piece = index;
    };
    return {
      read: (begin, into) => {
        for (let done = 0; done < into.length;) {
          const position = begin + done;
          const isInside = piece >= 0 && position >= this.#firstOf(piece) && position < this.#firstOf(piece + 1);
          if (!isInside) load(this.#pieceOf(position));
          const offset = position - this.#firstOf(piece);
          const part = tokens.subarray(offset, offset + into.length - done);
          into.set(part, done);
          done += part.length;
        }
      },
    };
  }

  close(): void {
    this.#file.close();
  }

  #firstOf(piece: number): number {
    return piece < this.#pieces.length ? this.#pieces[piece].first : this.length;
  }

  /** The last piece that begins at or before a token. */
  #pieceOf(token: number): number {
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#pieces[middle].first <= token) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
