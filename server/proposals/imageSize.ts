/** @file Height and width of an image, from the beginning of its file. Pure. */

/** Bytes in which a size is found, but for photographs with large metadata. */
export const IMAGE_HEAD_BYTES = 64 * 1024;

/** `[height, width]` of a PNG or JPEG file; undefined where the bytes do not tell. */
export function imageSize(head: Uint8Array): readonly [height: number, width: number] | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length >= 24 && view.getUint32(0) === 0x89504e47) return [view.getUint32(20), view.getUint32(16)];
  if (head.length < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  // Segments: a marker, the length of what follows; a frame header (SOF) has the size.
  for (let at = 2; at + 9 < head.length;) {
    if (head[at] !== 0xff) return undefined;
    const marker = head[at + 1];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [view.getUint16(at + 5), view.getUint16(at + 7)];
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}
