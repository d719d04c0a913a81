/** @file From the bytes of a tensor, wherever they lie, to its numbers, with little of it in memory at a time. */
import { pipeline, Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { FormatError } from '../formats/formatError.ts';
import { bytesOfElements, elementTypes, type ElementTypeName, type Numbers } from '../formats/elementTypes.ts';
import type { OpenedFile } from './openedFile.ts';

/** A range of bytes of a file. */
export interface Segment {
  readonly file: OpenedFile;
  readonly begin: number;
  readonly end: number;
}

type Parts = AsyncIterable<Uint8Array>;

export async function* bytesOfSegments(segments: readonly Segment[]): AsyncGenerator<Uint8Array> {
  for (const { file, begin, end } of segments) yield* file.chunks(begin, end);
}

/**
 * The elements of a tensor.
 * @param bytes little-endian; parts may end within an element
 * @throws FormatError where there are more or fewer bytes than `count` elements have
 */
export async function* decodeElements(bytes: Parts, type: ElementTypeName, count: number): AsyncGenerator<Numbers> {
  const { bits, decode } = elementTypes[type];
  const size = Math.max(1, bits / 8);
  const expected = bytesOfElements(type, count);
  let begun = new Uint8Array(0);
  let found = 0;
  let left = count;
  for await (const part of bytes) {
    found += part.length;
    if (found > expected) break;
    const all = begun.length === 0 ? part : Buffer.concat([begun, part]);
    const whole = all.length - (all.length % size);
    if (whole > 0) {
      const numbers = decode(all.subarray(0, whole));
      yield left < numbers.length ? numbers.subarray(0, left) : numbers;
      left -= numbers.length;
    }
    begun = Uint8Array.from(all.subarray(whole));
  }
  if (found !== expected)
    throw new FormatError(
      `its ${count} numbers of type ${type} need ${expected} bytes, but it has ${found > expected ? 'more' : found}`,
    );
}

/** Bytes that were compressed by Deflate. @throws FormatError where they are damaged */
export async function* inflated(compressed: Parts): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw();
  // Each part arrives, and what goes wrong, by the loop below.
  pipeline(Readable.from(compressed), inflate, () => undefined);
  try {
    for await (const part of inflate) yield part as Uint8Array;
  } catch (error) {
    const isOfZlib = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
    throw isOfZlib ? new FormatError(`its compression is damaged (${error.message})`) : error;
  }
}

/** Parts without their first bytes. */
export async function* skipped(parts: Parts, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const part of parts) {
    if (part.length > left) yield part.subarray(left);
    left = Math.max(0, left - part.length);
  }
}

/**
 * Variable-length integers of Protocol Buffers as elements of `width` bytes, little-endian: their lowest bits.
 * @throws FormatError for an integer of more than 10 bytes, and for one that is cut off
 */
export async function* fromVarints(parts: Parts, width: number): AsyncGenerator<Uint8Array> {
  let low = 0;
  let high = 0;
  let length = 0;
  for await (const part of parts) {
    const result = Buffer.alloc(part.length * width);
    const element = new DataView(new ArrayBuffer(8));
    const bytes = new Uint8Array(element.buffer, 0, width);
    let at = 0;
    for (const byte of part) {
      const value = byte & 0x7f;
      if (length < 4) low |= value << (7 * length);
      else if (length === 4) {
        low |= value << 28;
        high = value >>> 4;
      } else high |= value << (7 * length - 32);
      length++;
      if (length > 10) throw new FormatError('one of its integers has more than 10 bytes');
      if (byte & 0x80) continue;
      element.setInt32(0, low, true);
      element.setInt32(4, high, true);
      result.set(bytes, at);
      at += width;
      low = high = length = 0;
    }
    yield result.subarray(0, at);
  }
  if (length > 0) throw new FormatError('its last integer is cut off');
}
