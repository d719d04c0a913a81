/**
 * @file Zip archives: a directory at the end names the entries and where each begins (PKWARE, APPNOTE.TXT 6.3.10,
 * sections 4.3 and 4.4). Stored and deflated entries, zip64 too, which NumPy writes for arrays beyond 4 GiB. Nothing is
 * unpacked to the disk, and no size of the directory is believed without a look.
 */
import type { ByteSource } from './byteSource.ts';
import { FormatError } from './formatError.ts';
import { inflate } from './inflate.ts';

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly compressedBytes: number;
  /** Bytes from the start of the archive to the local header of the entry. */
  readonly offset: number;
}

const END = { signature: 0x06054b50, bytes: 22, longestComment: 0xffff };
const END64 = { signature: 0x06064b50, bytes: 56 };
const LOCATOR64 = { signature: 0x07064b50, bytes: 20 };
const DIRECTORY_ENTRY = { signature: 0x02014b50, bytes: 46 };
const LOCAL_HEADER = { signature: 0x04034b50, bytes: 30 };
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
/** The value of a 32-bit field whose 64-bit value is in the extra fields. */
const IN_ZIP64 = 0xffffffff;
const ZIP64_FIELD = 1;

export class ZipArchive {
  readonly entries: readonly ZipEntry[];
  readonly #archive: ByteSource;
  readonly #what: string;

  /**
   * @param what the kind of archive, for messages
   * @throws FormatError when it is none, or its directory is damaged
   */
  constructor(archive: ByteSource, what: string) {
    this.#archive = archive;
    this.#what = what;
    this.entries = this.#readDirectory();
  }

  /**
   * The content of an entry: a view of the archive for one that is stored.
   * @param sizeOf as of {@link inflate}
   * @throws FormatError when it is damaged, or has more bytes than `sizeOf` says
   */
  read(entry: ZipEntry, sizeOf: (head: Uint8Array) => number): Uint8Array {
    const { begin, end, isDeflated } = this.locate(entry);
    const content = this.#archive.read(begin, end);
    return isDeflated ? inflate(content, 'deflate', sizeOf) : content;
  }

  /**
   * Offsets of the bytes of an entry in the archive.
   * @throws FormatError when they are not in it, or are compressed in a way that is not known
   */
  locate({ offset, compressedBytes, method, name }: ZipEntry): { begin: number; end: number; isDeflated: boolean } {
    const header = this.#expect(offset, LOCAL_HEADER);
    const begin = offset + LOCAL_HEADER.bytes + header.getUint16(26, true) + header.getUint16(28, true);
    const end = begin + compressedBytes;
    if (!(end <= this.#archive.length)) throw this.#invalid(`${name} is cut off`);
    if (method !== STORED && method !== DEFLATED)
      throw new FormatError(`'${name}' is compressed by the method ${method} of zip, which cannot be read`, {
        remedy: 'Write the archive with numpy.savez or numpy.savez_compressed.',
      });
    return { begin, end, isDeflated: method === DEFLATED };
  }

  #readDirectory(): ZipEntry[] {
    const endAt = this.#findEnd();
    const end = this.#part(endAt, END.bytes);
    let count = end.getUint16(10, true);
    let offset = end.getUint32(16, true);
    const locatorAt = endAt - LOCATOR64.bytes;
    const locator = locatorAt >= 0 ? this.#part(locatorAt, LOCATOR64.bytes) : undefined;
    if (locator?.getUint32(0, true) === LOCATOR64.signature) {
      const end64 = this.#expect(number64(locator, 8), END64);
      count = number64(end64, 32);
      offset = number64(end64, 48);
    }
    const entries: ZipEntry[] = [];
    for (let i = 0; i < count; i++) {
      const header = this.#expect(offset, DIRECTORY_ENTRY);
      const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((at) => header.getUint16(at, true));
      const extraAt = offset + DIRECTORY_ENTRY.bytes + nameBytes;
      const next = extraAt + extraBytes + commentBytes;
      if (next > this.#archive.length) throw this.#invalid('its directory is cut off');
      const name = new TextDecoder().decode(this.#archive.read(offset + DIRECTORY_ENTRY.bytes, extraAt));
      if (header.getUint16(8, true) & ENCRYPTED) throw this.#invalid(`${name} is encrypted`);
      // The extra field has those of the three that do not fit 32 bits, in this order.
      const fields = [24, 20, 42].map((at) => header.getUint32(at, true));
      const [, compressedBytes, headerOffset] = this.#withZip64(fields, this.#part(extraAt, extraBytes));
      entries.push({ name, method: header.getUint16(10, true), compressedBytes, offset: headerOffset });
      offset = next;
    }
    return entries;
  }

  #findEnd(): number {
    const tailAt = Math.max(0, this.#archive.length - END.bytes - END.longestComment);
    const tail = this.#part(tailAt, this.#archive.length - tailAt);
    for (let at = tail.byteLength - END.bytes; at >= 0; at--)
      if (tail.getUint32(at, true) === END.signature) return tailAt + at;
    throw this.#invalid('it has no directory at its end');
  }

  #withZip64(fields: readonly number[], extra: DataView): number[] {
    for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
      if (extra.getUint16(at, true) !== ZIP64_FIELD) continue;
      let value = at + 4;
      return fields.map((field) => {
        if (field !== IN_ZIP64) return field;
        value += 8;
        if (value > extra.byteLength) throw this.#invalid('its directory is damaged');
        return number64(extra, value - 8);
      });
    }
    return [...fields];
  }

  #expect(at: number, { signature, bytes }: { signature: number; bytes: number }): DataView {
    const part = this.#part(at, bytes);
    if (part.getUint32(0, true) !== signature) throw this.#invalid('its directory is damaged');
    return part;
  }

  #part(at: number, bytes: number): DataView {
    if (!(at + bytes <= this.#archive.length)) throw this.#invalid('its directory is damaged');
    const part = this.#archive.read(at, at + bytes);
    return new DataView(part.buffer, part.byteOffset, part.byteLength);
  }

  #invalid(reason: string): FormatError {
    return new FormatError(`it is no valid ${this.#what}: ${reason}`);
  }
}

function number64(part: DataView, at: number): number {
  return Number(part.getBigUint64(at, true));
}
