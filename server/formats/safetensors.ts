/**
 * @file The safetensors format: an 8-byte little-endian header length, a JSON header
 * `{ NAME: { dtype, shape, data_offsets: [begin, end] }, "__metadata__": { … } }`, then the tensors' bytes, row-major and
 * little-endian, without holes or overlaps. Offsets count from the end of the header.
 */
import { isRecord } from '../protocol/record.ts';
import { elementCount, isSizes } from '../protocol/shape.ts';
import { UserError } from '../protocol/userError.ts';
import { sourceOf, type ByteSource } from './byteSource.ts';
import { elementsOf, type ElementArray, type NumericArray } from './elements.ts';
import { inPieces, joinPieces, type FilePieces } from './filePieces.ts';
import { FormatError } from './formatError.ts';
import { float32FromBfloat16, float32FromFloat16 } from './halfPrecision.ts';
import type { RowSource } from './rowSource.ts';

export interface Safetensor {
  /** How the elements are stored; the reader turns F16 and BF16 into F32. BOOL is one byte, 0 or 1. */
  dtype: SafetensorDtype;
  shape: readonly number[];
  /** Elements in row-major order. */
  data: NumericArray;
}

export type SafetensorDtype = 'F64' | 'I64' | 'U64' | 'F32' | 'I32' | 'U32' | 'I16' | 'U16' | 'I8' | 'U8' | 'BOOL';

const constructors: Record<SafetensorDtype, ElementArray<NumericArray>> = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

type StoredDtype = SafetensorDtype | keyof typeof halves;

const halves = { F16: float32FromFloat16, BF16: float32FromBfloat16 } as const;

const LENGTH_BYTES = 8;
/** The reference implementation reads no longer header either. */
const MOST_HEADER_BYTES = 100_000_000;
/** Tensors start at multiples of this in the file, so that a reader need not copy them. */
const ALIGNMENT = 8;
const METADATA = '__metadata__';

/** Writes a safetensors file into memory: {@link safetensorPieces}. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Safetensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  return joinPieces(safetensorPieces(tensors, metadata));
}

/**
 * Writes a safetensors file, a piece at a time, without a copy of the tensors. Tensors with wider elements come first, as the reference
 * implementation does, so that every tensor is aligned for its type; otherwise the order is the given one.
 * @param most bytes of a piece behind the header
 */
export function safetensorPieces(
  tensors: ReadonlyMap<string, Safetensor>,
  metadata: Readonly<Record<string, string>> = {},
  most?: number,
): FilePieces {
  const ordered = [...tensors].sort(
    ([, a], [, b]) => constructors[b.dtype].BYTES_PER_ELEMENT - constructors[a.dtype].BYTES_PER_ELEMENT,
  );
  // Without a prototype, so that any name is one of its own: `__proto__`, too.
  const header = Object.create(null) as Record<string, unknown>;
  if (Object.keys(metadata).length > 0) header[METADATA] = metadata;
  let end = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    if (!(data instanceof constructors[dtype]) || data.length !== elementCount(shape))
      throw new TypeError(`Tensor '${name}': ${data.length} elements do not make ${dtype} of shape [${shape}].`);
    header[name] = { dtype, shape, data_offsets: [end, (end += data.byteLength)] };
  }

  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const beginning = new Uint8Array(LENGTH_BYTES + headerBytes);
  new DataView(beginning.buffer).setBigUint64(0, BigInt(headerBytes), true);
  beginning.set(json, LENGTH_BYTES);
  beginning.fill(0x20, LENGTH_BYTES + json.length);
  function* pieces(): Generator<Uint8Array> {
    yield beginning;
    for (const [, { data }] of ordered)
      yield* inPieces(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), most);
  }
  return { bytes: beginning.length + end, pieces: pieces() };
}

/** A tensor as the header describes it. */
export interface SafetensorEntry {
  readonly name: string;
  /** As the file has it: it may be one that {@link decodeSafetensors} does not read. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte in the file, and the one behind the last. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly entries: readonly SafetensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads what a safetensors file says of its tensors, and none of their bytes.
 *
 * @throws FormatError for a damaged header, and where the tensors do not lie in the file as they should
 */
export function readSafetensorsHeader(file: ByteSource): SafetensorsHeader {
  const { header, dataStart } = readHeader(file);
  const dataBytes = file.length - dataStart;
  const { [METADATA]: metadata = {}, ...rest } = header;
  if (!isTexts(metadata)) throw new FormatError(`its ${METADATA} is not a table of strings`);
  const entries = Object.entries(rest).map(([name, entry]) => checkEntry(name, entry, dataBytes));
  checkCoverage(entries, dataBytes);
  return {
    entries: entries.map((entry) => ({ ...entry, begin: dataStart + entry.begin, end: dataStart + entry.end })),
    metadata,
  };
}

/**
 * Reads a safetensors file. The tensors are views of `file` wherever its alignment allows, so they live and change with it.
 *
 * @throws FormatError for a damaged file or an element type that is not supported
 */
export function decodeSafetensors(file: Uint8Array): {
  tensors: Map<string, Safetensor>;
  metadata: Readonly<Record<string, string>>;
} {
  const { entries, metadata } = readSafetensorsHeader(sourceOf(file));
  const tensors = entries.map((entry): [string, Safetensor] => [
    entry.name,
    decodeSafetensor(entry, file.subarray(entry.begin, entry.end)),
  ]);
  return { tensors: new Map(tensors), metadata };
}

/**
 * Opens a safetensors file. Each look at the `data` of a tensor reads them, so that no more is in memory than is looked at.
 *
 * @throws FormatError for a damaged header; a look at the data, for an element type that is not supported
 */
export function openSafetensors(file: ByteSource): {
  tensors: Map<string, Safetensor>;
  metadata: Readonly<Record<string, string>>;
} {
  const { entries, metadata } = readSafetensorsHeader(file);
  const lazy = (entry: SafetensorEntry): Safetensor => ({
    dtype: isHalf(entry.dtype) ? 'F32' : (entry.dtype as SafetensorDtype),
    shape: entry.shape,
    get data() {
      return decodeSafetensor(entry, file.read(entry.begin, entry.end)).data;
    },
  });
  return { tensors: new Map(entries.map((entry) => [entry.name, lazy(entry)])), metadata };
}

/**
 * @param bytes those of the entry
 * @throws FormatError for an element type that is not supported
 */
export function decodeSafetensor({ name, dtype, shape }: SafetensorEntry, bytes: Uint8Array): Safetensor {
  if (!isDtype(dtype)) throw new FormatError(`tensor '${name}' has the element type ${dtype}, which is not supported`);
  if (isHalf(dtype)) return { dtype: 'F32', shape, data: halves[dtype](bytes) };
  return { dtype, shape, data: elementsOf(bytes, constructors[dtype]) };
}

/**
 * Opens one tensor of a safetensors file by its rows.
 * @throws FormatError for a damaged file, one that has no such tensor, or an element type that is not supported
 */
export function safetensorRows(file: ByteSource, name: string): RowSource {
  const { entries } = readSafetensorsHeader(file);
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined)
    throw new FormatError(
      `it has no tensor '${name}'; it has ${entries.map((other) => other.name).join(', ') || 'none'}`,
    );
  const { shape, begin: first } = entry;
  const [count = 1] = shape;
  const rowBytes = count === 0 ? 0 : (entry.end - first) / count;
  return {
    shape,
    bytes: elementCount(shape) * decodeSafetensor(entry, new Uint8Array(0)).data.BYTES_PER_ELEMENT,
    isWhole: false,
    rows: (begin, end) => decodeSafetensor(entry, file.read(first + begin * rowBytes, first + end * rowBytes)).data,
  };
}

function readHeader(file: ByteSource): { header: Record<string, unknown>; dataStart: number } {
  if (file.length < LENGTH_BYTES)
    throw new FormatError(`it has ${file.length} bytes; a safetensors file starts with an 8-byte header length`);
  const length = file.read(0, LENGTH_BYTES);
  const headerBytes = new DataView(length.buffer, length.byteOffset).getBigUint64(0, true);
  if (headerBytes > BigInt(file.length - LENGTH_BYTES))
    throw new FormatError(
      `its header should have ${headerBytes} bytes, but the file has only ${file.length}: it is cut off or no safetensors file`,
    );
  if (headerBytes > BigInt(MOST_HEADER_BYTES))
    throw new FormatError(
      `its header should have ${headerBytes} bytes; that of a model has at most ${MOST_HEADER_BYTES}`,
    );
  const dataStart = LENGTH_BYTES + Number(headerBytes);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.read(LENGTH_BYTES, dataStart)));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new FormatError('its header is not valid JSON');
  }
  if (!isRecord(header)) throw new FormatError('its header is not a JSON object');
  return { header, dataStart };
}

/** Offsets of the entry count from the end of the header, as in the file. */
function checkEntry(name: string, entry: unknown, dataBytes: number): SafetensorEntry {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (typeof dtype !== 'string' || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2)
    throw new FormatError(`its entry for tensor '${name}' lacks a valid dtype, shape or data_offsets`);
  const [begin, end] = offsets;
  const bytes = isDtype(dtype) ? elementCount(shape) * bytesPerElement(dtype) : Math.max(0, end - begin);
  if (end - begin !== bytes)
    throw new FormatError(`tensor '${name}', ${dtype} [${shape}], needs ${bytes} bytes but has ${end - begin}`);
  if (end > dataBytes)
    throw new FormatError(
      `tensor '${name}' ends at byte ${end} of the data, but there are only ${dataBytes}: it is cut off`,
    );
  return { name, dtype, shape, begin, end };
}

/** The tensors must cover the data exactly: no overlaps, no holes, nothing left over. */
function checkCoverage(entries: readonly SafetensorEntry[], dataBytes: number): void {
  let previous: { name: string; end: number } = { name: '', end: 0 };
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin < previous.end) throw new FormatError(`tensors '${previous.name}' and '${entry.name}' overlap`);
    if (entry.begin > previous.end)
      throw new FormatError(`${entry.begin - previous.end} bytes before tensor '${entry.name}' belong to no tensor`);
    previous = entry;
  }
  if (previous.end !== dataBytes)
    throw new FormatError(`${dataBytes - previous.end} bytes at its end belong to no tensor`);
}

function bytesPerElement(dtype: StoredDtype): number {
  return isHalf(dtype) ? 2 : constructors[dtype].BYTES_PER_ELEMENT;
}

function isHalf(dtype: string): dtype is keyof typeof halves {
  return Object.hasOwn(halves, dtype);
}

function isDtype(dtype: string): dtype is StoredDtype {
  return Object.hasOwn(constructors, dtype) || isHalf(dtype);
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === 'string');
}
