/** @file What the header of a JPEG file tells, without the decoder. */
import { FormatError } from '../formatError.ts';
import { checkSize, type RasterSize } from './raster.ts';

const START_OF_IMAGE = 0xd8;
const START_OF_SCAN = 0xda;
/** Frames of every kind but 0xc4, 0xc8 and 0xcc, which are none. */
const isFrame = (marker: number) => marker === 0xc0 || (marker > 0xc0 && marker <= 0xcf && marker % 4 !== 0);

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === START_OF_IMAGE && bytes[2] === 0xff;
}

/** @throws FormatError for a header that is none */
export function jpegSize(bytes: Uint8Array): RasterSize {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 <= bytes.length;) {
    if (bytes[at] !== 0xff) throw new FormatError(`it is damaged: there is no marker at byte ${at}`);
    const marker = bytes[at + 1];
    // Any number of fill bytes may stand before a marker.
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === START_OF_SCAN) break;
    if (isFrame(marker)) {
      const size = { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
      checkSize(size);
      return size;
    }
    at += 2 + view.getUint16(at + 2);
  }
  throw new FormatError('it is cut off: its header tells of no size');
}
