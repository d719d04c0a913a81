/** @file Decoded images on the disk, so that they are decoded once: `.deeptwist/cache/images/KEY.pixels` beside the experiment. */
import { CacheFolder } from '../cacheFolder.ts';

/** Bytes that are read or written at once: the system takes no more than 2 GiB, and others want their turn. */
const PIECE_BYTES = 2 ** 24;
/** One for each choice of images, size and colour. */
const MOST_FILES = 4;

export class ImageCache {
  readonly #files: CacheFolder;

  /** @param folder absolute */
  constructor(folder: string) {
    this.#files = new CacheFolder(folder, { magic: 'DTPIXEL1', ending: '.pixels', most: MOST_FILES });
  }

  /** As of {@link CacheFolder.path}. */
  path(facts: readonly unknown[]): string {
    return this.#files.path(facts);
  }

  /** @returns the pixels; undefined where they are not there, or not as they were written */
  async read(path: string, bytes: number): Promise<Uint8Array | undefined> {
    let pixels: Uint8Array | undefined;
    const isRead = await this.#files.read(path, (found) => {
      if (found !== bytes) return undefined;
      pixels = new Uint8Array(bytes);
      return piecesOf(pixels);
    });
    return isRead ? pixels : undefined;
  }

  /** @throws what the system says, when it cannot be written */
  write(path: string, pixels: Uint8Array): Promise<void> {
    return this.#files.write(path, piecesOf(pixels));
  }
}

function* piecesOf(pixels: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < pixels.length; at += PIECE_BYTES) yield pixels.subarray(at, at + PIECE_BYTES);
}
