/** @file Reads messages of Protocol Buffers by ranges: a field of a gigabyte is passed over unread. */
import type { ByteSource } from './byteSource.ts';
import { FormatError } from './formatError.ts';

export interface ProtobufField {
  readonly number: number;
  /** How the content is stored: a varint, 8 bytes, bytes with their length before them, 4 bytes. */
  readonly kind: 'varint' | '64-bit' | 'bytes' | '32-bit';
  /** Offset of the content in the source, in bytes. */
  readonly begin: number;
  readonly end: number;
  /** The number of a varint, its lowest 53 bits and its sign; else 0. */
  readonly value: number;
}

/** Fields that are read at most in all: a model of thousands of operators has a hundredth of that. */
const MOST_FIELDS = 5_000_000;
const LONGEST_VARINT = 10;

export class ProtobufReader {
  readonly #source: ByteSource;
  #fields = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /**
   * The fields of the message in a range, by default the whole source.
   * @throws FormatError where it is no message
   */
  *fields(begin = 0, end = this.#source.length): Generator<ProtobufField> {
    for (let at = begin; at < end;) {
      if (++this.#fields > MOST_FIELDS) throw new FormatError(`it has more than ${MOST_FIELDS} fields`);
      const key = this.#varint(at, end);
      const number = Math.floor(key.value / 8);
      const content = this.#content(key.value % 8, key.end, end);
      yield { number, ...content };
      at = content.end;
    }
  }

  /** The text of a field; of a longer one its beginning. */
  text({ begin, end }: ProtobufField, longest: number): string {
    const text = new TextDecoder().decode(this.#source.read(begin, Math.min(end, begin + longest)));
    return end - begin > longest ? `${text}…` : text;
  }

  /** The varints of a field: its own, or those that are packed in it. */
  *varints({ kind, begin, end, value }: ProtobufField): Generator<number> {
    if (kind === 'varint') return yield value;
    for (let at = begin; at < end;) {
      const next = this.#varint(at, end);
      yield next.value;
      at = next.end;
    }
  }

  #content(wire: number, at: number, limit: number): Omit<ProtobufField, 'number'> {
    if (wire === 0) return { kind: 'varint', begin: at, ...this.#varint(at, limit) };
    const length = wire === 2 ? this.#varint(at, limit) : { value: wire === 1 ? 8 : 4, end: at };
    if (wire !== 1 && wire !== 2 && wire !== 5) throw new FormatError(`byte ${at} belongs to no field`);
    const end = length.end + length.value;
    if (length.value < 0 || !(end <= limit))
      throw new FormatError(`a field of ${length.value} bytes at byte ${length.end} is cut off`);
    return { kind: wire === 1 ? '64-bit' : wire === 2 ? 'bytes' : '32-bit', begin: length.end, end, value: 0 };
  }

  #varint(at: number, limit: number): { value: number; end: number } {
    const bytes = this.#source.read(at, Math.min(limit, at + LONGEST_VARINT));
    let value = 0n;
    for (let i = 0; i < bytes.length; i++) {
      value |= BigInt(bytes[i] & 0x7f) << BigInt(7 * i);
      if (bytes[i] < 0x80) return { value: Number(BigInt.asIntN(64, value)), end: at + i + 1 };
    }
    throw new FormatError(`the number at byte ${at} is cut off or too long`);
  }
}
