/** @file Reads TensorBoard's event files by another way than they are written: for tests. */
import { sourceOf } from '../../../../server/formats/byteSource.ts';
import { ProtobufReader, type ProtobufField } from '../../../../server/formats/protobufReader.ts';

/** CRC-32C a bit at a time, from the definition of the polynomial. */
export function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit++) {
      const carry = (crc ^ (byte >> bit)) & 1;
      crc = (crc >>> 1) ^ (carry === 1 ? 0x82f63b78 : 0);
    }
  return ~crc >>> 0;
}

export interface ReadValue {
  readonly tag: string;
  readonly scalar?: number;
  /** Right edges, and counts. */
  readonly histogram?: { minimum: number; limits: number[]; counts: number[] };
  readonly text?: string;
  readonly plugin?: string;
}

export interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly version?: string;
  /** True for the event by which a run goes back. */
  readonly restarts: boolean;
  readonly values: readonly ReadValue[];
}

/** The records of a file. @throws Error for a checksum that is wrong, and for a record that is cut short */
export function readRecords(file: Buffer): Buffer[] {
  const masked = (bytes: Uint8Array) => {
    const crc = slowCrc32c(bytes);
    return Number((((BigInt(crc) >> 15n) | (BigInt(crc) << 17n)) + 0xa282ead8n) & 0xffffffffn);
  };
  const records: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    if (masked(file.subarray(at, at + 8)) !== file.readUInt32LE(at + 8))
      throw new Error(`The length at ${at} is damaged.`);
    if (masked(data) !== file.readUInt32LE(at + 12 + length)) throw new Error(`The record at ${at} is damaged.`);
    records.push(data);
    at += 12 + length + 4;
  }
  return records;
}

export function readEventFile(file: Buffer): ReadEvent[] {
  return readRecords(file).map(readEvent);
}

/** What TensorBoard shows: what was written before the run went back is dropped from that step on. */
export function shownScalars(events: readonly ReadEvent[], tag: string): [step: number, value: number][] {
  let shown: [number, number][] = [];
  for (const { step, restarts, values } of events) {
    if (restarts) shown = shown.filter(([other]) => other < step);
    for (const { tag: own, scalar } of values) if (own === tag && scalar !== undefined) shown.push([step, scalar]);
  }
  return shown;
}

function readEvent(data: Buffer): ReadEvent {
  const event = { wallTime: 0, step: 0, restarts: false, values: [] as ReadValue[] };
  let version: string | undefined;
  for (const { number, value, bytes } of fields(data)) {
    if (number === 1) event.wallTime = bytes.readDoubleLE();
    if (number === 2) event.step = value;
    if (number === 3) version = bytes.toString();
    if (number === 5) for (const summary of fields(bytes)) event.values.push(readValue(summary.bytes));
    if (number === 7) event.restarts = true;
  }
  return { ...event, ...(version !== undefined && { version }) };
}

function readValue(data: Buffer): ReadValue {
  let read: ReadValue = { tag: '' };
  for (const { number, bytes } of fields(data)) {
    if (number === 1) read = { ...read, tag: bytes.toString() };
    if (number === 2) read = { ...read, scalar: bytes.readFloatLE() };
    if (number === 5) {
      const parts = new Map(fields(bytes).map((field) => [field.number, field.bytes]));
      const doubles = (field: number) => {
        const packed = parts.get(field) ?? Buffer.alloc(0);
        return Array.from({ length: packed.length / 8 }, (_, i) => packed.readDoubleLE(8 * i));
      };
      read = { ...read, histogram: { minimum: doubles(1)[0], limits: doubles(6), counts: doubles(7) } };
    }
    if (number === 8)
      for (const field of fields(bytes)) if (field.number === 8) read = { ...read, text: field.bytes.toString() };
    if (number === 9) {
      const [plugin] = fields(fields(bytes)[0].bytes);
      read = { ...read, plugin: plugin.bytes.toString() };
    }
  }
  return read;
}

function fields(data: Buffer): { number: number; value: number; bytes: Buffer }[] {
  const reader = new ProtobufReader(sourceOf(data));
  return [...reader.fields(0, data.length)].map((field: ProtobufField) => ({
    number: field.number,
    value: field.kind === 'varint' ? field.value : NaN,
    bytes: data.subarray(field.begin, field.end),
  }));
}
