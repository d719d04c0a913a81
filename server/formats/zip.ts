/**
 * @file Zip archives: a directory at the end names the entries and where each begins (PKWARE, APPNOTE.TXT 6.3.10,
 * sections 4.3 and 4.4). Stored and deflated entries, zip64 too, which NumPy writes for arrays beyond 4 GiB. Nothing is
 * unpacked to the disk, and no size of the directory is believed without a look.
 */
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
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;

  /**
   * @param what the kind of archive, for messages
   * @throws FormatError when it is none, or its directory is damaged
   */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.entries = this.#readDirectory();
  }

  /**
   * The content of an entry: a view of the archive for one that is stored.
   * @param sizeOf as of {@link inflate}
   * @throws FormatError when it is damaged, or has more bytes than `sizeOf` says
   */
  read(entry: ZipEntry, sizeOf: (head: Uint8Array) => number): Uint8Array {
    const { offset, compressedBytes, method, name } = entry;
    this.#expect(offset, LOCAL_HEADER);
    const start =
      offset + LOCAL_HEADER.bytes + this.#view.getUint16(offset + 26, true) + this.#view.getUint16(offset + 28, true);
    if (start + compressedBytes > this.#bytes.length) throw this.#invalid(`${name} is cut off`);
    const content = this.#bytes.subarray(start, start + compressedBytes);
    if (method === STORED) return content;
    if (method === DEFLATED) return inflate(content, 'deflate', sizeOf);
    throw new FormatError(`'${name}' is compressed by the method ${method} of zip, which cannot be read`, {
      remedy: 'Write the archive with numpy.savez or numpy.savez_compressed.',
    });
  }

  #readDirectory(): ZipEntry[] {
    const end = this.#findEnd();
    let count = this.#view.getUint16(end + 10, true);
    let offset = this.#view.getUint32(end + 16, true);
    const locator = end - LOCATOR64.bytes;
    if (locator >= 0 && this.#view.getUint32(locator, true) === LOCATOR64.signature) {
      const end64 = this.#number64(locator + 8);
      this.#expect(end64, END64);
      count = this.#number64(end64 + 32);
      offset = this.#number64(end64 + 48);
    }
    const entries: ZipEntry[] = [];
    for (let i = 0; i < count; i++) {
      this.#expect(offset, DIRECTORY_ENTRY);
      const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((at) => this.#view.getUint16(offset + at, true));
      const extra = offset + DIRECTORY_ENTRY.bytes + nameBytes;
      const next = extra + extraBytes + commentBytes;
      if (next > this.#bytes.length) throw this.#invalid('its directory is cut off');
      const name = new TextDecoder().decode(this.#bytes.subarray(offset + DIRECTORY_ENTRY.bytes, extra));
      if (this.#view.getUint16(offset + 8, true) & ENCRYPTED) throw this.#invalid(`${name} is encrypted`);
      // The extra field has those of the three that do not fit 32 bits, in this order.
      const fields = [24, 20, 42].map((at) => this.#view.getUint32(offset + at, true));
      const [, compressedBytes, headerOffset] = this.#withZip64(fields, extra, extra + extraBytes);
      entries.push({
        name,
        method: this.#view.getUint16(offset + 10, true),
        compressedBytes,
        offset: headerOffset,
      });
      offset = next;
    }
    return entries;
  }

  #findEnd(): number {
    const last = this.#bytes.length - END.bytes;
    for (let at = last; at >= Math.max(0, last - END.longestComment); at--)
      if (this.#view.getUint32(at, true) === END.signature) return at;
    throw this.#invalid('it has no directory at its end');
  }

  #withZip64(fields: readonly number[], begin: number, end: number): number[] {
    for (let at = begin; at + 4 <= end; at += 4 + this.#view.getUint16(at + 2, true)) {
      if (this.#view.getUint16(at, true) !== ZIP64_FIELD) continue;
      let value = at + 4;
      return fields.map((field) => {
        if (field !== IN_ZIP64) return field;
        value += 8;
        if (value > end) throw this.#invalid('its directory is damaged');
        return this.#number64(value - 8);
      });
    }
    return [...fields];
  }

  #number64(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }

  #expect(at: number, { signature, bytes }: { signature: number; bytes: number }): void {
    if (at + bytes > this.#bytes.length || this.#view.getUint32(at, true) !== signature)
      throw this.#invalid('its directory is damaged');
  }

  #invalid(reason: string): FormatError {
    return new FormatError(`it is no valid ${this.#what}: ${reason}`);
  }
}
