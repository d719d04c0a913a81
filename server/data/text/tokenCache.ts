/** @file Numbers of the tokens of a text on the disk, so that it is tokenized once: `.deeptwist/cache/text/KEY.tokens` beside the experiment. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { UserError } from '../../protocol/userError.ts';
import { CacheFolder, HEADER_BYTES } from '../cacheFolder.ts';
import type { TokenReader, TokenSource } from './tokenSource.ts';

const NUMBER_BYTES = Int32Array.BYTES_PER_ELEMENT;
/** Numbers that are written or checked at once. */
const PIECE = 2 ** 18;
/** Three splits of a few texts. */
const MOST_FILES = 12;

export class TokenCache {
  readonly #files: CacheFolder;

  /** @param folder absolute */
  constructor(folder: string) {
    this.#files = new CacheFolder(folder, { magic: 'DTTOKEN1', ending: '.tokens', most: MOST_FILES });
  }

  /** As of {@link CacheFolder.path}. */
  path(facts: readonly unknown[]): string {
    return this.#files.path(facts);
  }

  /** True for a file that is there and as it was written. */
  has(path: string): Promise<boolean> {
    return this.#files.read(path, (bytes) => (bytes % NUMBER_BYTES === 0 ? buffersFor(bytes) : undefined));
  }

  /**
   * Writes the numbers as they come.
   * @throws what the system says, when it cannot be written; whatever `numbers` throws
   */
  write(path: string, numbers: AsyncIterable<readonly number[]>): Promise<void> {
    return this.#files.write(path, piecesOf(numbers));
  }
}

/** Parts of one buffer, as many bytes together. */
function* buffersFor(bytes: number): Generator<Uint8Array> {
  const buffer = new Uint8Array(PIECE * NUMBER_BYTES);
  for (let left = bytes; left > 0; left -= buffer.length) yield buffer.subarray(0, left);
}

/** Bytes of the numbers; a piece counts until the next one is asked for. */
async function* piecesOf(numbers: AsyncIterable<readonly number[]>): AsyncGenerator<Uint8Array> {
  const buffer = new Int32Array(PIECE);
  let length = 0;
  for await (const part of numbers)
    for (const number of part) {
      if (length === PIECE) {
        yield new Uint8Array(buffer.buffer);
        length = 0;
      }
      buffer[length++] = number;
    }
  yield new Uint8Array(buffer.buffer, 0, length * NUMBER_BYTES);
}

/** Numbers of a file, read as they are needed. */
export class TokensOnDisk implements TokenSource {
  readonly path: string;
  readonly length: number;
  readonly #file: string;
  readonly #descriptor: number;

  /**
   * @param path of the text, for messages
   * @param file of the cache
   */
  constructor(path: string, file: string) {
    this.path = path;
    this.#file = file;
    this.length = (statSync(file).size - HEADER_BYTES) / NUMBER_BYTES;
    this.#descriptor = openSync(file, 'r');
  }

  reader(): TokenReader {
    return {
      read: (begin, into) => {
        const bytes = Buffer.from(into.buffer, into.byteOffset, into.byteLength);
        for (let done = 0; done < bytes.length;) {
          const at = HEADER_BYTES + begin * NUMBER_BYTES + done;
          const read = readSync(this.#descriptor, bytes, done, bytes.length - done, at);
          if (read === 0)
            throw new UserError(`${this.#file} has become shorter since it was opened.`, { remedy: 'Start again.' });
          done += read;
        }
      },
    };
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
