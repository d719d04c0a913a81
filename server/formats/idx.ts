/**
 * @file The IDX format of MNIST: two zero bytes, the element type, the number of axes, the size of each axis as a
 * big-endian 32-bit integer, then the elements in row-major order (LeCun, Cortes & Burges, "The MNIST database").
 */
import { elementCount } from '../protocol/shape.ts';
import { FormatError } from './formatError.ts';

export interface IdxArray {
  shape: number[];
  /** A view of the file. */
  data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file of unsigned bytes.
 *
 * @param axes how many axes the file must have: 3 for images, 1 for labels
 * @throws FormatError when the magic number or the sizes are not those of such a file
 */
export function decodeIdx(file: Uint8Array, axes: number): IdxArray {
  const shape = idxShape(file, axes);
  const expected = headerBytes(axes) + elementCount(shape);
  if (file.length !== expected)
    throw new FormatError(
      `its header says ${shape.join(' x ')}, which makes ${expected} bytes, but it has ${file.length}: it is ` +
        (file.length < expected ? 'cut off' : 'too long'),
    );
  return { shape, data: file.subarray(headerBytes(axes)) };
}

/**
 * Bytes of the whole file, as its header says.
 *
 * @param head at least the header of the file
 * @throws FormatError as {@link decodeIdx}
 */
export function idxFileBytes(head: Uint8Array, axes: number): number {
  return headerBytes(axes) + elementCount(idxShape(head, axes));
}

function headerBytes(axes: number): number {
  return 4 + 4 * axes;
}

/**
 * Sizes of the axes, as the header says.
 *
 * @param head at least the header of the file
 * @throws FormatError as {@link decodeIdx}
 */
export function idxShape(head: Uint8Array, axes: number): number[] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const expectedMagic = (UNSIGNED_BYTE << 8) | axes;
  const magic = head.length < 4 ? undefined : view.getUint32(0);
  if (magic !== expectedMagic)
    throw new FormatError(
      `its magic number is ${magic === undefined ? 'missing' : hexadecimal(magic)}; an IDX file of bytes with ${axes} ` +
        `${axes === 1 ? 'axis' : 'axes'} starts with ${hexadecimal(expectedMagic)}`,
    );
  if (head.length < headerBytes(axes)) throw new FormatError('its header is cut off');
  return Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
