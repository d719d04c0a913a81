/** @file The size of an image, by its header. */
import { FormatError } from '../formatError.ts';
import { isJpeg, jpegSize } from './jpegHeader.ts';
import { isPng, pngSize } from './png.ts';
import type { RasterSize } from './raster.ts';

/** @param bytes of the file, or of its beginning @throws FormatError for what is no image, and for a header that is none */
export function imageSize(bytes: Uint8Array): RasterSize {
  if (isPng(bytes)) return pngSize(bytes);
  if (isJpeg(bytes)) return jpegSize(bytes);
  throw ofNoKind();
}

export function ofNoKind(): FormatError {
  return new FormatError('it is neither a PNG nor a JPEG file');
}
