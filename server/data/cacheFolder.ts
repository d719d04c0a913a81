/**
 * @file Files whose content is made once and kept on the disk, in a folder beside the experiment. The key in a name is made of all that
 * the content depends on. A file is written beside its place and renamed: several runs may write and read at the same time, and
 * whatever is wrong with a file makes its content be made again.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const MAGIC_BYTES = 8;
/** Bytes in front of the content: a magic number, then a checksum of the content. */
export const HEADER_BYTES = MAGIC_BYTES + 4;
/** What a process left that was killed while it wrote. */
const TEMPORARY = '.tmp';
const DAY_MS = 24 * 60 * 60 * 1000;

/** What the files of a folder are. */
interface CachedKind {
  /** Magic number with a version: 8 characters, raised when the same key stands for another content. */
  readonly magic: string;
  /** End of their names. */
  readonly ending: `.${string}`;
  /** Files that are kept, those that were used last. */
  readonly most: number;
}

export class CacheFolder {
  readonly #folder: string;
  readonly #kind: CachedKind;

  /** @param folder absolute */
  constructor(folder: string, kind: CachedKind) {
    this.#folder = folder;
    this.#kind = kind;
  }

  /** The path of a file, which may not be there. @param facts all that its content depends on */
  path(facts: readonly unknown[]): string {
    const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
    return join(this.#folder, `${key}${this.#kind.ending}`);
  }

  /**
   * Fills buffers with the content of a file, each before the next one is asked for.
   * @param buffersFor buffers for a content of so many bytes; undefined where it cannot have so many
   * @returns false where the file is not there, or not as it was written
   */
  async read(path: string, buffersFor: (bytes: number) => Iterable<Uint8Array> | undefined): Promise<boolean> {
    let file: FileHandle | undefined;
    try {
      // Before it is opened: to open a pipe waits for whoever writes it.
      const status = await stat(path);
      const buffers = status.isFile() ? buffersFor(status.size - HEADER_BYTES) : undefined;
      if (buffers === undefined) return false;
      file = await open(path);
      const header = Buffer.alloc(HEADER_BYTES);
      await file.read(header, 0, HEADER_BYTES, 0);
      let checksum = 0;
      let at = HEADER_BYTES;
      for (const buffer of buffers) {
        await readWhole(file, buffer, at);
        checksum = crc32(buffer, checksum);
        at += buffer.length;
      }
      if (!header.equals(this.#header(checksum))) return false;
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return true;
    } catch {
      return false;
    } finally {
      await file?.close().catch(() => undefined);
    }
  }

  /**
   * Writes the pieces of a content as they come.
   * @throws what the system says, when it cannot be written; whatever `pieces` throws
   */
  async write(path: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await this.#removeOld(path);
    const temporary = `${path}.${randomBytes(6).toString('hex')}${TEMPORARY}`;
    try {
      const file = await open(temporary, 'wx');
      try {
        let checksum = 0;
        let at = HEADER_BYTES;
        await file.write(this.#header(checksum), 0, HEADER_BYTES, 0);
        for await (const piece of pieces) {
          checksum = crc32(piece, checksum);
          await writeWhole(file, piece, at);
          at += piece.length;
        }
        await file.write(this.#header(checksum), 0, HEADER_BYTES, 0);
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await remove(temporary);
      throw error;
    }
  }

  #header(checksum: number): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    header.write(this.#kind.magic, 'latin1');
    header.writeUInt32LE(checksum, MAGIC_BYTES);
    return header;
  }

  /** Leaves room for the file of a path. A run that reads another goes on reading it where it can, and makes it again where it cannot. */
  async #removeOld(own: string): Promise<void> {
    const files: { path: string; used: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const used = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => undefined,
      );
      if (used === undefined || path === own) continue;
      if (name.endsWith(this.#kind.ending)) files.push({ path, used });
      else if (name.endsWith(TEMPORARY) && Date.now() - used > DAY_MS) await remove(path);
    }
    files.sort((a, b) => b.used - a.used);
    for (const { path } of files.slice(this.#kind.most - 1)) await remove(path);
  }
}

/** Another process may have removed it, or may have it open. */
async function remove(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}

async function readWhole(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, at + done);
    if (bytesRead === 0) throw new Error('The file has become shorter.');
    done += bytesRead;
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}
