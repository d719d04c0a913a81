/** @file Height and width of an image, from the beginning of its file. Pure. */
import { FormatError } from '../formats/formatError.ts';
import { imageSize as sizeOfImage } from '../formats/images/imageSize.ts';

/** Bytes in which a size is found, but for photographs with large metadata. */
export const IMAGE_HEAD_BYTES = 64 * 1024;

/** `[height, width]` of a PNG or JPEG file; undefined where the bytes do not tell. */
export function imageSize(head: Uint8Array): readonly [height: number, width: number] | undefined {
  try {
    const { height, width } = sizeOfImage(head);
    return [height, width];
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
