/** @file A file on disk that is read by ranges, and that must stay as it was when it was opened. */
import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from '../formats/byteSource.ts';
import { explainSystemError } from '../protocol/systemError.ts';
import { UserError } from '../protocol/userError.ts';
import { openRegularFile } from '../runs/workspaceFile.ts';

/** Bytes that are in memory at once while a tensor is read. */
const CHUNK_BYTES = 2 ** 20;
/** Most bytes that are read at once: the system reads no more than 2 GiB. */
const READ_BYTES = 2 ** 30;
/** What is read at once where a few bytes are asked for: the next are mostly those behind them. */
const WINDOW_BYTES = 2 ** 16;

export class OpenedFile implements ByteSource {
  readonly path: string;
  readonly length: number;
  readonly #handle: FileHandle;
  readonly #modified: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  private constructor(path: string, handle: FileHandle, { size, mtimeMs }: { size: number; mtimeMs: number }) {
    this.path = path;
    this.#handle = handle;
    this.length = size;
    this.#modified = mtimeMs;
  }

  /** @throws UserError where it cannot be read, or is no file */
  static async open(path: string): Promise<OpenedFile> {
    try {
      const handle = await openRegularFile(path);
      return new OpenedFile(path, handle, await handle.stat());
    } catch (error) {
      throw explainSystemError(error, { path, cannot: 'read' });
    }
  }

  read(begin: number, end: number): Uint8Array {
    if (end - begin >= WINDOW_BYTES) return this.#readNow(begin, end);
    if (begin < this.#windowAt || end > this.#windowAt + this.#window.length) {
      this.#windowAt = begin;
      this.#window = this.#readNow(begin, Math.min(this.length, begin + WINDOW_BYTES));
    }
    return this.#window.subarray(begin - this.#windowAt, end - this.#windowAt);
  }

  /**
   * The bytes of a range, a part at a time.
   * @returns parts that are overwritten when the next is asked for
   * @throws UserError where the file is not what it was when it was opened
   */
  async *chunks(begin: number, end: number): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - begin));
    for (let at = begin; at < end;) {
      const wanted = Math.min(buffer.length, end - at);
      const bytesRead = await this.#readAt(buffer, wanted, at);
      await this.expectUnchanged();
      if (bytesRead === 0) throw this.#changed();
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  /** @throws UserError where the file is not what it was when it was opened */
  async expectUnchanged(): Promise<void> {
    const { size, mtimeMs } = await this.#handle.stat();
    if (size !== this.length || mtimeMs !== this.#modified) throw this.#changed();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #readAt(buffer: Buffer, length: number, position: number): Promise<number> {
    try {
      return (await this.#handle.read(buffer, 0, length, position)).bytesRead;
    } catch (error) {
      throw explainSystemError(error, { path: this.path, cannot: 'read' });
    }
  }

  #readNow(begin: number, end: number): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(end - begin);
    try {
      for (let length = 0; length < bytes.length;) {
        const wanted = Math.min(READ_BYTES, bytes.length - length);
        const bytesRead = readSync(this.#handle.fd, bytes, length, wanted, begin + length);
        if (bytesRead === 0) throw this.#changed();
        length += bytesRead;
      }
    } catch (error) {
      throw explainSystemError(error, { path: this.path, cannot: 'read' });
    }
    return bytes;
  }

  #changed(): UserError {
    return new UserError(`${this.path} has changed since it was opened.`, { remedy: 'Open it again.' });
  }
}
