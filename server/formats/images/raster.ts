/** @file Pixels of an image, and what every reader of images here bounds before it takes memory for them. */
import { FormatError } from '../formatError.ts';

/** An image as rows of interleaved channels. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** 1: gray. 3: red, green, blue. */
  readonly channels: 1 | 3;
  /** [height, width, channels], row-major. */
  readonly data: Uint8Array;
}

export type RasterSize = Pick<Raster, 'width' | 'height'>;

/** Pixels of an image at most: those of the largest cameras' photographs are fewer, and a header may tell of any number. */
const MOST_PIXELS = 2 ** 26;

/** @throws FormatError for an image without pixels, and for one with too many to take memory for */
export function checkSize({ width, height }: RasterSize): void {
  if (width === 0 || height === 0) throw new FormatError(`its header tells of ${width} x ${height} pixels`);
  if (width * height > MOST_PIXELS)
    throw new FormatError(`its header tells of ${width} x ${height} pixels; up to ${MOST_PIXELS} can be read`, {
      remedy: 'Make it smaller, or leave it out.',
    });
}

/** The error for a header that promises more than the bytes behind it can hold. */
export function tooFewBytes({ width, height }: RasterSize, bytes: number): FormatError {
  return new FormatError(`its header tells of ${width} x ${height} pixels, which ${bytes} bytes cannot hold`);
}

/**
 * The image with as many channels as are wanted. Gray is luma by ITU-R BT.601, in the integers of Pillow's `convert("L")`.
 */
export function withChannels(image: Raster, channels: Raster['channels']): Raster {
  if (image.channels === channels) return image;
  const { width, height, data } = image;
  const pixels = width * height;
  const result = new Uint8Array(pixels * channels);
  if (channels === 1)
    for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += 3)
      result[pixel] = (data[at] * 19_595 + data[at + 1] * 38_470 + data[at + 2] * 7471 + 0x8000) >> 16;
  else for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += 3) result.fill(data[pixel], at, at + 3);
  return { width, height, channels, data: result };
}
