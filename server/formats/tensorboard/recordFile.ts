/** @file Records of a TFRecord file: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details */
import { crc32c } from '../crc32c.ts';

/** Bytes of a record beside its data: its length, the checksum of that, and the checksum of the data. */
const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;

/** A record with its length and its checksums. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + data.length + FOOTER_BYTES);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedChecksum(record.subarray(0, 8)), true);
  record.set(data, HEADER_BYTES);
  view.setUint32(HEADER_BYTES + data.length, maskedChecksum(data), true);
  return record;
}

/** A checksum of data that have checksums in them would be a weak one: it is turned and shifted. */
function maskedChecksum(bytes: Uint8Array): number {
  const checksum = crc32c(bytes);
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}
