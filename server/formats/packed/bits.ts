/** @file Numbers of any width in bytes: the first bit is the lowest of the first byte, and a number has its lowest bit first. */
import { FormatError } from '../formatError.ts';

/** Writes numbers one after the other into bytes of a known length. */
export class BitWriter {
  readonly bytes: Uint8Array;
  #at = 0;

  /** @param bits all bits that will be written */
  constructor(bits: number) {
    this.bytes = new Uint8Array(Math.ceil(bits / 8));
  }

  /** @param bits 0 to 31; `value` must fit in them */
  write(value: number, bits: number): void {
    for (let i = 0; i < bits; i++) this.#bit((value >>> i) & 1);
  }

  /** Writes so many ones and a zero. */
  writeUnary(count: number): void {
    for (let i = 0; i < count; i++) this.#bit(1);
    this.#bit(0);
  }

  #bit(bit: number): void {
    this.bytes[Math.floor(this.#at / 8)] |= bit << (this.#at % 8);
    this.#at++;
  }
}

/** Reads what a {@link BitWriter} wrote. Every method throws a FormatError at the end of the bytes. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Number of bytes that were read, the last maybe in part. */
  get bytesRead(): number {
    return Math.ceil(this.#at / 8);
  }

  /** @param bits 0 to 31 */
  read(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) value |= this.#bit() << i;
    return value;
  }

  /** @returns the number of ones before the next zero */
  readUnary(): number {
    let count = 0;
    while (this.#bit() === 1) count++;
    return count;
  }

  #bit(): number {
    const byte = Math.floor(this.#at / 8);
    if (byte >= this.#bytes.length) throw new FormatError('its bits end too early');
    return (this.#bytes[byte] >>> (this.#at++ % 8)) & 1;
  }
}
