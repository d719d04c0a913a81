/** @file PNG files for tests. */
import { crc32, deflateSync } from 'node:zlib';

export const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(content), 4);
  return Buffer.concat([ends.subarray(0, 4), content, ends.subarray(4)]);
}

/** The first chunk of a PNG. @param header.type of the colours: 0 gray, 2 RGB, 6 RGBA */
export function pngHeader(header: {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly type: number;
  readonly compression?: number;
}): Buffer {
  const { width, height, depth, type, compression = 0 } = header;
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, type, compression], 8);
  return pngChunk('IHDR', data);
}

/** A PNG whose header and rows need not fit together. @param rows each behind the byte of its filter */
export function rawPng(
  rows: Uint8Array,
  { width = 2, height = 2, depth = 8, type = 0, end = true, more = [] as Buffer[], compression = 0 } = {},
): Buffer {
  return Buffer.concat([
    PNG_SIGNATURE,
    pngHeader({ width, height, depth, type, compression }),
    ...more,
    pngChunk('IDAT', deflateSync(rows)),
    ...(end ? [pngChunk('IEND', new Uint8Array(0))] : []),
  ]);
}

/** An image whose pixels are computed: gray for a number, else red, green and blue. */
export function pngOf(width: number, height: number, pixel: (x: number, y: number) => number | number[]): Buffer {
  const isGray = typeof pixel(0, 0) === 'number';
  const rows = Array.from({ length: height }, (_, y) => [
    0,
    ...Array.from({ length: width }, (_unused, x) => pixel(x, y)).flat(),
  ]);
  return rawPng(Buffer.from(rows.flat()), { width, height, type: isGray ? 0 : 2 });
}
