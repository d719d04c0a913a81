/** @file A file that an experiment names, read by ranges as its parts are needed. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ByteSource } from '../formats/byteSource.ts';
import { FormatError } from '../formats/formatError.ts';
import { reasonOf } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';
import { checkUserFile, notUsable } from './readUserFile.ts';

/** Most bytes that are read at once: the system reads no more than 2 GiB. */
const PIECE_BYTES = 2 ** 30;
/** Bytes that tell what a file is that cannot be read. */
const HEAD_BYTES = 2 ** 12;

/**
 * A file as it is, opened for each range that is read, so that nobody has to close it.
 * @param remedy what to do when the file is missing or damaged
 * @param most bytes that are read at once
 * @throws UserError that names the file where it may not be read, also later
 */
export function sourceOfFile(path: string, remedy: string, most = PIECE_BYTES): ByteSource {
  const opened = <R>(work: (file: UserFile) => R): R => {
    const file = UserFile.openNow(path, remedy, most);
    try {
      return work(file);
    } finally {
      file.close();
    }
  };
  return {
    length: opened(({ length }) => length),
    read: (begin, end) => opened((file) => file.read(begin, end)),
  };
}

export class UserFile implements ByteSource {
  readonly path: string;
  readonly length: number;
  readonly #remedy: string;
  readonly #descriptor: number;
  /** Bytes that are read at once, at most. */
  readonly #most: number;

  private constructor(path: string, remedy: string, most: number) {
    this.path = path;
    this.#most = most;
    this.#remedy = remedy;
    this.#descriptor = openSync(path, 'r');
    this.length = fstatSync(this.#descriptor).size;
  }

  /**
   * @param path absolute
   * @param remedy what to do when the file is missing or damaged
   * @throws UserError that names the file: missing, no regular file, or one that may not be read
   */
  static async open(path: string, remedy: string): Promise<UserFile> {
    await checkUserFile(path, remedy);
    return UserFile.openNow(path, remedy);
  }

  /** {@link open} for a path that is known to be that of a regular file. */
  static openNow(path: string, remedy: string, most = PIECE_BYTES): UserFile {
    try {
      return new UserFile(path, remedy, most);
    } catch (error) {
      throw new UserError(`${path} cannot be read: ${reasonOf(error)}.`, { remedy, cause: error });
    }
  }

  read(begin: number, end: number): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(end - begin);
    for (let done = 0; done < bytes.length;) {
      const read = this.#readInto(bytes, done, begin + done);
      if (read === 0)
        throw new UserError(`${this.path} has become shorter since it was opened.`, {
          remedy: 'Put the file back as it was, and start again.',
        });
      done += read;
    }
    return bytes;
  }

  /**
   * The result of some work on the content.
   * @throws UserError that names the file where `work` throws a FormatError
   */
  decoded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw notUsable(this.path, error, this.read(0, Math.min(HEAD_BYTES, this.length)), this.#remedy);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #readInto(bytes: Buffer, offset: number, position: number): number {
    try {
      const length = Math.min(this.#most, bytes.length - offset);
      return readSync(this.#descriptor, bytes, offset, length, position);
    } catch (error) {
      throw new UserError(`${this.path} cannot be read: ${reasonOf(error)}.`, { remedy: this.#remedy, cause: error });
    }
  }
}
