/**
 * @file Decoded images on the disk, so that they are decoded once: `.deeptwist/cache/images/KEY.pixels` beside the experiment. The key
 * is made of all that the pixels depend on. A file is written beside its place and renamed: several runs may write and read at
 * the same time, and whatever is wrong with a file makes the images be decoded again.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Magic number and version, then the checksum of the pixels. */
const MAGIC = Buffer.from('DTPIXEL1', 'latin1');
const HEADER_BYTES = MAGIC.length + 4;
/** Bytes that are read or written at once: the system takes no more than 2 GiB, and others want their turn. */
const PIECE_BYTES = 2 ** 24;
/** Files that are kept, those that were used last: one for each choice of images, size and colour. */
const MOST_FILES = 4;
/** What a process left that was killed while it wrote. */
const TEMPORARY = '.tmp';
const DAY_MS = 24 * 60 * 60 * 1000;

export class ImageCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns the pixels; undefined where they are not there, or not as they were written */
  async read(key: string, bytes: number): Promise<Uint8Array | undefined> {
    let file: FileHandle | undefined;
    try {
      // Before it is opened: to open a pipe waits for whoever writes it.
      const status = await stat(this.#path(key));
      if (!status.isFile() || status.size !== HEADER_BYTES + bytes) return undefined;
      file = await open(this.#path(key));
      const header = Buffer.alloc(HEADER_BYTES);
      await file.read(header, 0, HEADER_BYTES, 0);
      const pixels = new Uint8Array(bytes);
      let checksum = 0;
      for (const piece of piecesOf(pixels)) {
        await readWhole(file, piece.bytes, HEADER_BYTES + piece.at);
        checksum = crc32(piece.bytes, checksum);
      }
      if (!header.equals(headerOf(checksum))) return undefined;
      const now = new Date();
      await utimes(this.#path(key), now, now).catch(() => undefined);
      return pixels;
    } catch {
      return undefined;
    } finally {
      await file?.close().catch(() => undefined);
    }
  }

  /** @throws what the system says, when it cannot be written */
  async write(key: string, pixels: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await this.#removeOld(key);
    const temporary = `${this.#path(key)}.${randomBytes(6).toString('hex')}${TEMPORARY}`;
    try {
      const file = await open(temporary, 'wx');
      try {
        let checksum = 0;
        await file.write(headerOf(checksum), 0, HEADER_BYTES, 0);
        for (const { at, bytes } of piecesOf(pixels)) {
          checksum = crc32(bytes, checksum);
          await writeWhole(file, bytes, HEADER_BYTES + at);
        }
        await file.write(headerOf(checksum), 0, HEADER_BYTES, 0);
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path(key));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  #path(key: string): string {
    return join(this.#folder, `${key}.pixels`);
  }

  /** Leaves room for one more. A run that reads a file goes on reading it where it can, and decodes again where it cannot. */
  async #removeOld(key: string): Promise<void> {
    const files: { path: string; used: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const used = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => undefined,
      );
      if (used === undefined || path === this.#path(key)) continue;
      if (name.endsWith('.pixels')) files.push({ path, used });
      else if (name.endsWith(TEMPORARY) && Date.now() - used > DAY_MS) await remove(path);
    }
    files.sort((a, b) => b.used - a.used);
    for (const { path } of files.slice(MOST_FILES - 1)) await remove(path);
  }
}

/** Another process may have removed it, or may have it open. */
async function remove(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}

function headerOf(checksum: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(checksum, MAGIC.length);
  return header;
}

function* piecesOf(pixels: Uint8Array): Generator<{ at: number; bytes: Uint8Array }> {
  for (let at = 0; at < pixels.length; at += PIECE_BYTES) yield { at, bytes: pixels.subarray(at, at + PIECE_BYTES) };
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
