/** @file CRC-32C (Castagnoli), RFC 3720, appendix B.4: the checksum of the records of TensorFlow. */

/** The polynomial 0x1EDC6F41 with its bits in reverse. */
const POLYNOMIAL = 0x82f63b78;

/** Remainders of the bytes. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder >>> 0;
});

/** @returns an unsigned number of 32 bits */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = remainders[(remainder ^ byte) & 0xff] ^ (remainder >>> 8);
  return (remainder ^ 0xffffffff) >>> 0;
}
