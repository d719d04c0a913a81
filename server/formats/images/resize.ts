/** @file Resizing as Pillow's `resize(size, BILINEAR)` does it, in its integers: torchvision's `Resize` of an image file. */
import type { Raster, RasterSize } from './raster.ts';

/** Bits behind the point of a coefficient: a sum of bytes times coefficients stays within 32. */
const FRACTION_BITS = 22;
const HALF = 1 << (FRACTION_BITS - 1);

/** What a pixel of the result is made of: pixels from the first one on, times these coefficients. */
interface Contribution {
  readonly first: number;
  readonly coefficients: Int32Array;
}

/**
 * Each pixel is a mean weighted by a triangle, which is two pixels of the result wide, or two of the image where that is made
 * larger. Both sides are scaled by themselves: where their ratio changes, the image is distorted.
 */
export function resized(image: Raster, { width, height }: RasterSize): Raster {
  const { channels } = image;
  const wide = along(image.data, [image.height, image.width, channels], width);
  return { width, height, channels, data: along(wide, [1, image.height, width * channels], height) };
}

/** Resamples the middle one of three axes. */
function along(data: Uint8Array, [outer, size, inner]: readonly [number, number, number], wanted: number): Uint8Array {
  if (size === wanted) return data;
  const result = new Uint8Array(outer * wanted * inner);
  const contributions = contributionsTo(wanted, size);
  let to = 0;
  for (let row = 0; row < outer; row++) {
    for (const { first, coefficients } of contributions) {
      const begin = (row * size + first) * inner;
      for (let element = 0; element < inner; element++) {
        let sum = HALF;
        for (let i = 0, at = begin + element; i < coefficients.length; i++, at += inner)
          sum += coefficients[i] * data[at];
        result[to++] = Math.min(sum >> FRACTION_BITS, 255);
      }
    }
  }
  return result;
}

function contributionsTo(wanted: number, size: number): Contribution[] {
  const scale = size / wanted;
  const support = Math.max(1, scale);
  return Array.from({ length: wanted }, (_, pixel) => {
    const center = (pixel + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const last = Math.min(size, Math.trunc(center + support + 0.5));
    const weights = Array.from({ length: last - first }, (_unused, i) =>
      Math.max(0, 1 - Math.abs((first + i - center + 0.5) * (1 / support))),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, coefficients: Int32Array.from(weights, (weight) => 0.5 + (weight / sum) * 2 ** FRACTION_BITS) };
  });
}
