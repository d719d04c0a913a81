/** @file Writes messages in the wire format of protocol buffers: https://protobuf.dev/programming-guides/encoding/ */

const encoder = new TextEncoder();

/** A growing protocol-buffer message. */
export class Message {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  get bytes(): Uint8Array {
    const result = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      result.set(part, offset);
      offset += part.length;
    }
    return result;
  }

  integer(field: number, value: number | bigint): this {
    return this.#push(varint((field << 3) | 0)).#push(varint(value));
  }

  float(field: number, value: number): this {
    return this.#push(varint((field << 3) | 5)).#push(new Uint8Array(new Float32Array([value]).buffer));
  }

  double(field: number, value: number): this {
    return this.#push(varint((field << 3) | 1)).#push(littleEndian(value));
  }

  /** A repeated field of doubles, packed. */
  doubles(field: number, values: readonly number[]): this {
    const bytes = new Uint8Array(8 * values.length);
    values.forEach((value, i) => bytes.set(littleEndian(value), 8 * i));
    return this.data(field, bytes);
  }

  data(field: number, value: Uint8Array): this {
    return this.#push(varint((field << 3) | 2))
      .#push(varint(value.length))
      .#push(value);
  }

  text(field: number, value: string): this {
    return this.data(field, encoder.encode(value));
  }

  message(field: number, value: Message): this {
    return this.data(field, value.bytes);
  }

  #push(part: Uint8Array): this {
    this.#parts.push(part);
    this.#length += part.length;
    return this;
  }
}

const MOST_INT64 = 2n ** 63n - 1n;

/** A number as int64. `INT64_MAX`, which stands for an end that is open, is 2^63 as a number, and would become the smallest. */
export function int64Of(value: number): bigint {
  const integer = BigInt(value);
  return integer > MOST_INT64 ? MOST_INT64 : integer;
}

function varint(value: number | bigint): Uint8Array {
  if (typeof value === 'number' && value >= 0 && value < 128) return Uint8Array.of(value);
  let rest = BigInt.asUintN(64, typeof value === 'number' ? int64Of(value) : value);
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return bytes;
}
