/** @file Arrays as NumPy's files. */
import type { NumericArray } from '../../../../server/formats/elements.ts';

/** A file of version 1.0. */
export function npy(descr: string, shape: number[], data: NumericArray): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.map((size) => `${size},`).join(' ')}), }`;
  const header = text.padEnd(117) + '\n'; // 10 + 118 bytes: a multiple of 64
  const elements = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0]), Buffer.from(header), elements]);
}
