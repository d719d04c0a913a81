/**
 * @file Pictures of one size as an animated PNG (W3C Recommendation, third edition, 2025, section 4.9), which browsers, GitHub and VS Code play
 * wherever they show a PNG. A frame has the rectangle that changed, and in it only the pixels that did: the others are transparent, and lie over the
 * frame before. Node.js compresses, so that no encoder has to be installed.
 */
import { deflateSync } from 'node:zlib';
import { decodePng, pngSize } from '../../server/formats/images/png.ts';
import { withChannels } from '../../server/formats/images/raster.ts';
import { PNG_SIGNATURE, pngChunk, pngHeader } from '../unit/formats/images/pngFile.ts';

const [RGB, RGBA] = [3, 4] as const;
/** Colour type of red, green, blue and alpha. */
const TRUECOLOUR_WITH_ALPHA = 6;

export interface Frame {
  /** A picture as a PNG file. */
  readonly png: Uint8Array;
  /** How long it is shown, in milliseconds. */
  readonly milliseconds: number;
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The frames, over and over, as one PNG file. */
export function animatedPng(frames: readonly Frame[]): Uint8Array {
  const { width, height } = pngSize(frames[0].png);
  const whole = { x: 0, y: 0, width, height };
  const parts = [
    PNG_SIGNATURE,
    pngHeader({ width, height, depth: 8, type: TRUECOLOUR_WITH_ALPHA }),
    pngChunk('acTL', Buffer.concat([uint32(frames.length), uint32(0)])),
  ];
  let sequence = 0;
  let before: Uint8Array | undefined;
  for (const { png, milliseconds } of frames) {
    const image = withChannels(decodePng(png), RGB);
    if (image.width !== width || image.height !== height) throw new Error('The pictures differ in size.');
    const changed = before === undefined ? whole : changedRectangle(before, image.data, whole);
    const pixels = deflateSync(rows(image.data, before, changed, width), { level: 9 });
    parts.push(
      pngChunk('fcTL', Buffer.concat([uint32(sequence++), frameControl(changed, milliseconds, before !== undefined)])),
    );
    if (before === undefined) parts.push(pngChunk('IDAT', pixels));
    else parts.push(pngChunk('fdAT', Buffer.concat([uint32(sequence++), pixels])));
    before = image.data;
  }
  return Buffer.concat([...parts, pngChunk('IEND', new Uint8Array())]);
}

/** @param isOver true where the frame lies over the one before, which stays */
function frameControl({ x, y, width, height }: Rectangle, milliseconds: number, isOver: boolean): Uint8Array {
  const delay = Buffer.alloc(4);
  delay.writeUInt16BE(milliseconds);
  delay.writeUInt16BE(1000, 2);
  return Buffer.concat([uint32(width), uint32(height), uint32(x), uint32(y), delay, Uint8Array.of(0, Number(isOver))]);
}

/** The smallest rectangle with all pixels that differ; a pixel where none does. */
function changedRectangle(before: Uint8Array, after: Uint8Array, { width, height }: Rectangle): Rectangle {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (isEqual(before, after, y * width + x)) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  return right < 0
    ? { x: 0, y: 0, width: 1, height: 1 }
    : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** The pixels of a rectangle as filtered rows of a PNG file, of filter 0: plain colours compress best so. */
function rows(
  image: Uint8Array,
  before: Uint8Array | undefined,
  { x, y, width, height }: Rectangle,
  stride: number,
): Uint8Array {
  const result = new Uint8Array(height * (1 + width * RGBA));
  let at = 0;
  for (let row = y; row < y + height; row++) {
    at++;
    for (let pixel = row * stride + x; pixel < row * stride + x + width; pixel++, at += RGBA) {
      if (before !== undefined && isEqual(before, image, pixel)) continue;
      result.set(image.subarray(pixel * RGB, pixel * RGB + RGB), at);
      result[at + RGB] = 255;
    }
  }
  return result;
}

function isEqual(one: Uint8Array, other: Uint8Array, pixel: number): boolean {
  const i = pixel * RGB;
  return one[i] === other[i] && one[i + 1] === other[i + 1] && one[i + 2] === other[i + 2];
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
