/**
 * @file Numbers of the tokens of a text on the disk, so that it is tokenized once: `.deeptwist/cache/text/KEY.tokens` beside the
 * experiment. The key is made of all that they depend on. A file is written beside its place and renamed; whatever is wrong with
 * one makes the text be tokenized again.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { UserError } from '../../protocol/userError.ts';
import type { TokenReader, TokenSource } from './tokenSource.ts';

/** Raised when the same text and tokenizer give other numbers. */
const MAGIC = Buffer.from('DTTOKEN1', 'latin1');
/** Behind the magic number: a checksum of the numbers. */
const HEADER_BYTES = MAGIC.length + 4;
const NUMBER_BYTES = Int32Array.BYTES_PER_ELEMENT;
/** Numbers that are written or checked at once. */
const PIECE = 2 ** 18;
/** Files that are kept, those that were used last: three splits of a few texts. */
const MOST_FILES = 12;
const ENDING = '.tokens';
const TEMPORARY = '.tmp';
const DAY_MS = 24 * 60 * 60 * 1000;

export class TokenCache {
  readonly #folder: string;

  /** @param folder absolute */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param facts all that the numbers depend on */
  path(facts: readonly unknown[]): string {
    const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
    return join(this.#folder, `${key}${ENDING}`);
  }

  /** True for a file that is there and as it was written. */
  has(path: string): boolean {
    let descriptor: number | undefined;
    try {
      const { size } = statSync(path);
      descriptor = openSync(path, 'r');
      const header = Buffer.alloc(HEADER_BYTES);
      readSync(descriptor, header, 0, HEADER_BYTES, 0);
      const buffer = Buffer.alloc(PIECE * NUMBER_BYTES);
      let checksum = 0;
      for (let at = HEADER_BYTES; at < size;) {
        const read = readSync(descriptor, buffer, 0, buffer.length, at);
        if (read === 0) return false;
        checksum = crc32(buffer.subarray(0, read), checksum);
        at += read;
      }
      if (!header.equals(headerOf(checksum)) || (size - HEADER_BYTES) % NUMBER_BYTES !== 0) return false;
      const now = new Date();
      utimesSync(path, now, now);
      return true;
    } catch {
      return false;
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  /**
   * Writes the numbers as they come.
   * @throws what the system says, when it cannot be written; whatever `numbers` throws
   */
  async write(path: string, numbers: AsyncIterable<readonly number[]>): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    this.#removeOld();
    const temporary = `${path}.${randomBytes(6).toString('hex')}${TEMPORARY}`;
    try {
      const descriptor = openSync(temporary, 'wx');
      try {
        writeSync(descriptor, headerOf(0), 0, HEADER_BYTES, 0);
        let at = HEADER_BYTES;
        let checksum = 0;
        const buffer = new Int32Array(PIECE);
        let length = 0;
        const flush = () => {
          const bytes = Buffer.from(buffer.buffer, 0, length * NUMBER_BYTES);
          for (let done = 0; done < bytes.length;)
            done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
          checksum = crc32(bytes, checksum);
          at += bytes.length;
          length = 0;
        };
        for await (const part of numbers)
          for (const number of part) {
            if (length === PIECE) flush();
            buffer[length++] = number;
          }
        flush();
        writeSync(descriptor, headerOf(checksum), 0, HEADER_BYTES, 0);
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** Leaves room for one more. */
  #removeOld(): void {
    const files: { path: string; used: number }[] = [];
    for (const name of readdirSync(this.#folder)) {
      const path = join(this.#folder, name);
      const used = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      if (used === undefined) continue;
      if (name.endsWith(ENDING)) files.push({ path, used });
      else if (name.endsWith(TEMPORARY) && Date.now() - used > DAY_MS) rmSync(path, { force: true });
    }
    files.sort((a, b) => b.used - a.used);
    // On Windows a file that is open stays.
    for (const { path } of files.slice(MOST_FILES - 1)) attempt(() => rmSync(path, { force: true }));
  }
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

function headerOf(checksum: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(checksum, MAGIC.length);
  return header;
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // It is removed another time.
  }
}
