/**
 * @file NumPy's array formats: `.npy` versions 1 to 3 (magic, version, header length, a Python dictionary literal, the
 * elements) and `.npz`, a zip archive of them.
 */
import { elementCount } from '../protocol/shape.ts';
import { partOf, sourceOf, type ByteSource } from './byteSource.ts';
import { elementsOf, type ElementArray, type NumericArray } from './elements.ts';
import { FormatError } from './formatError.ts';
import { float32FromFloat16 } from './halfPrecision.ts';
import type { RowSource } from './rowSource.ts';
import { columnMajorStrides, toRowMajor } from './strided.ts';
import { ZipArchive } from './zip.ts';

export interface NpyArray {
  shape: number[];
  /** Float16 is read as float32. */
  dtype: NpyDtype;
  /** Elements in row-major order; a view of the file where its alignment and its byte order allow. */
  data: NumericArray;
}

/** The `descr` of NumPy without its byte order; `b1` is a byte, 0 or 1. */
export type NpyDtype = keyof typeof constructors;

const constructors = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
  b1: Uint8Array,
} satisfies Record<string, ElementArray<NumericArray>>;

type StoredDtype = NpyDtype | 'f2';

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59); // \x93NUMPY
/** Bytes of a header at most. That of a plain array has about 100; NumPy itself refuses more than 10,000. */
const HEADER_BYTES = 2 ** 16;
/** Bytes before the elements at most. */
const LONGEST_START = 12 + HEADER_BYTES;
/** NumPy has no more. */
const MOST_AXES = 64;
/** Characters of a damaged header that a message shows. */
const SHOWN = 200;

/** What an array says of itself. */
export interface NpyHeader {
  /** NumPy's name of the element type, `<f4`; undefined for records, whose type is a list. */
  descr: string | undefined;
  /** True where the first index changes fastest. */
  fortranOrder: boolean;
  shape: number[];
  /** Byte at which the elements begin. */
  dataStart: number;
}

interface NpyElements {
  dtype: StoredDtype;
  bigEndian: boolean;
}

/** An array whose elements are read as they are wanted. */
export interface NpyRows extends RowSource {
  readonly shape: number[];
  readonly dtype: NpyDtype;
}

/** @throws FormatError for a damaged file or an element type that is not supported */
export function decodeNpy(file: Uint8Array): NpyArray {
  return wholeArray(npyRows(sourceOf(file)));
}

/**
 * Opens an array. One in Fortran order has no rows that lie together.
 * @throws as {@link decodeNpy}
 */
export function npyRows(file: ByteSource): NpyRows {
  const header = readNpyHeader(file.read(0, Math.min(file.length, LONGEST_START)));
  const { shape, dataStart, fortranOrder } = header;
  const elements = npyElements(header);
  const { dtype } = elements;
  if (file.length !== fileBytes(header))
    throw new FormatError(
      `shape (${shape.join(', ')}) of ${dtype} needs ${fileBytes(header) - dataStart} bytes of data, ` +
        `but there are ${file.length - dataStart}`,
    );
  const elementBytes = bytesPerElement(dtype);
  const rowElements = elementCount(shape.slice(1));
  const isColumnMajor = fortranOrder && shape.length > 1;
  return {
    shape,
    dtype: dtype === 'f2' ? 'f4' : dtype,
    bytes: elementCount(shape) * (dtype === 'f2' ? constructors.f4.BYTES_PER_ELEMENT : elementBytes),
    isWhole: isColumnMajor,
    rows(begin, end) {
      if (isColumnMajor) {
        const all = fromColumnMajor(readElements(file.read(dataStart, file.length), elements), shape);
        return all.subarray(begin * rowElements, end * rowElements);
      }
      const [first, last] = [begin, end].map((row) => dataStart + row * rowElements * elementBytes);
      return readElements(file.read(first, last), elements);
    },
  };
}

/** One array of an `.npz` archive, as of {@link npzRows}. */
export function decodeNpz(archive: Uint8Array, name: string): NpyArray {
  return wholeArray(npzRows(sourceOf(archive), name));
}

function wholeArray({ shape, dtype, rows }: NpyRows): NpyArray {
  return { shape, dtype, data: rows(0, shape[0] ?? 1) };
}

/**
 * Opens one array of an `.npz` archive. One that is compressed is in memory from then on.
 *
 * @param name with or without `.npy`
 * @throws FormatError for a damaged archive, or when it has no such array
 */
export function npzRows(archive: ByteSource, name: string): NpyRows {
  const zip = new ZipArchive(archive, '.npz archive');
  const entry = zip.entries.find((candidate) => arrayName(candidate.name) === arrayName(name));
  if (entry === undefined) {
    const names = zip.entries.map((candidate) => arrayName(candidate.name)).join(', ');
    throw new FormatError(`it has no array '${name}'; it has ${names || 'none'}`);
  }
  const { begin, end, isDeflated } = zip.locate(entry);
  if (!isDeflated) return npyRows(partOf(archive, begin, end));
  return { ...npyRows(sourceOf(zip.read(entry, (head) => fileBytes(readNpyHeader(head))))), isWhole: true };
}

function arrayName(fileName: string): string {
  return fileName.replace(/\.npy$/, '');
}

/** Bytes of the whole file, as its header says. */
function fileBytes(header: NpyHeader): number {
  return header.dataStart + elementCount(header.shape) * bytesPerElement(npyElements(header).dtype);
}

function bytesPerElement(dtype: StoredDtype): number {
  return dtype === 'f2' ? 2 : constructors[dtype].BYTES_PER_ELEMENT;
}

function readElements(bytes: Uint8Array, { dtype, bigEndian }: NpyElements): NumericArray {
  const ordered = bigEndian ? reversedElements(bytes, bytesPerElement(dtype)) : bytes;
  if (dtype === 'f2') return float32FromFloat16(ordered);
  return elementsOf<NumericArray>(ordered, constructors[dtype]);
}

/** A copy in which the bytes of each element are in the opposite order. */
export function reversedElements(bytes: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(bytes.length);
  for (let begin = 0; begin < bytes.length; begin += size)
    for (let i = 0; i < size; i++) result[begin + i] = bytes[begin + size - 1 - i];
  return result;
}

/**
 * @param file at least the beginning of one, up to its elements
 * @throws FormatError for a damaged header, and for a file that is no `.npy` file
 */
export function readNpyHeader(file: Uint8Array): NpyHeader {
  if (!MAGIC.every((byte, i) => file[i] === byte)) throw new FormatError('it is no .npy file: it lacks the mark NUMPY');
  const version = file[6];
  if (!(version >= 1 && version <= 3))
    throw new FormatError(`it has .npy version ${version}; versions 1 to 3 can be read`);
  const start = version === 1 ? 10 : 12;
  if (file.length < start) throw new FormatError('its header is cut off');
  const view = new DataView(file.buffer, file.byteOffset);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > HEADER_BYTES)
    throw new FormatError(`its header has ${length} bytes; that of a plain array has less than ${HEADER_BYTES}`);
  const dataStart = start + length;
  if (file.length < dataStart) throw new FormatError('its header is cut off');
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(file.subarray(start, dataStart));
  return { ...parseHeader(text), dataStart };
}

/**
 * The header is a Python dictionary: either kind of quotes, and sizes of a tuple or a list as any NumPy has written them
 * (`64`, `64L` of Python 2, `np.int64(64)` of NumPy 2).
 */
function parseHeader(header: string): Omit<NpyHeader, 'dataStart'> {
  const damaged = () => {
    const shown = JSON.stringify(header.trim().slice(0, SHOWN));
    return new FormatError(`its header is damaged: ${shown}`);
  };
  const order = /["']fortran_order["']\s*:\s*(True|False)/.exec(header)?.[1];
  const sizes = /["']shape["']\s*:\s*([([])((?:[\s\d,L]|(?:np|numpy)\.\w+\(\d+\))*)[)\]]/.exec(header);
  const type = /["']descr["']\s*:\s*(?:(["'])([^"']*)\1)?/.exec(header);
  if (order === undefined || sizes === null || type === null) throw damaged();
  const shape = sizes[2]
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map((size) => Number(/^(?:\w+\.\w+\()?(\d+)L?\)?$/.exec(size)?.[1]));
  if (shape.length > MOST_AXES || !shape.every(Number.isSafeInteger)) throw damaged();
  return { descr: type[2], fortranOrder: order === 'True', shape };
}

/** @throws FormatError for a type whose elements are no numbers that can be read */
export function npyElements({ descr }: Pick<NpyHeader, 'descr'>): NpyElements {
  const [, order, dtype] = /^([<>|=]?)(.*)$/s.exec(descr ?? '') ?? [];
  if (isDtype(dtype)) return { dtype, bigEndian: order === '>' };
  const supported = ['f2', ...Object.keys(constructors)].join(', ');
  throw new FormatError(`its element type ${descr ?? 'is structured and'} cannot be read; supported are ${supported}`, {
    remedy: remedyFor(dtype),
  });
}

/** numpy.save alone would write the same type again. */
function remedyFor(dtype: string): string {
  const kind = dtype.slice(0, 1);
  if (kind === 'c')
    return 'Save real numbers: numpy.save(file, numpy.stack([x.real, x.imag], axis=-1).astype(numpy.float32)).';
  if (kind === 'f') return 'Save it as 32-bit numbers: numpy.save(file, x.astype(numpy.float32)).';
  if (kind === 'O') return 'Save numbers: numpy.save(file, numpy.stack(list(x)).astype(numpy.float32)).';
  if (kind === 'M' || kind === 'm') return 'Save times as numbers: numpy.save(file, x.astype(numpy.int64)).';
  if (kind === '' || kind === 'V')
    return 'Save one field of the records as an array of its own: numpy.save(file, x["FIELD"]).';
  return 'Save numbers, for example the index of each text: numpy.save(file, numpy.unique(x, return_inverse=True)[1]).';
}

function isDtype(dtype: string): dtype is StoredDtype {
  return dtype === 'f2' || Object.hasOwn(constructors, dtype);
}

function fromColumnMajor<T extends NumericArray>(columns: T, shape: readonly number[]): T {
  return toRowMajor<number | bigint, T>(columns, shape, columnMajorStrides(shape), columns.slice() as T);
}
