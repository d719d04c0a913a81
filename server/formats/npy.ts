/**
 * @file NumPy's array formats: `.npy` versions 1 to 3 (magic, version, header length, a Python dictionary literal, the
 * elements) and `.npz`, a zip archive of them.
 */
import { unzipSync } from 'fflate';
import { FormatError } from './formatError.ts';

export interface NpyArray {
  shape: number[];
  dtype: NpyDtype;
  /** Elements in row-major order; a view of the file where its alignment allows. */
  data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
}

/** The `descr` of NumPy without its byte order; `b1` is a byte, 0 or 1. */
export type NpyDtype = 'f4' | 'f8' | 'i4' | 'i8' | 'u1' | 'b1';

interface ElementArray {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): NpyArray['data'];
  readonly BYTES_PER_ELEMENT: number;
}

const constructors: Record<NpyDtype, ElementArray> = {
  f4: Float32Array,
  f8: Float64Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  b1: Uint8Array,
};

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59); // \x93NUMPY

/** @throws FormatError for a damaged file or an element type that is not supported */
export function decodeNpy(file: Uint8Array): NpyArray {
  if (!MAGIC.every((byte, i) => file[i] === byte)) throw new FormatError('it is no .npy file: it lacks the mark NUMPY');
  const version = file[6];
  if (!(version >= 1 && version <= 3))
    throw new FormatError(`it has .npy version ${version}; versions 1 to 3 can be read`);
  const headerStart = version === 1 ? 10 : 12;
  if (file.length < headerStart) throw new FormatError('its header is cut off');
  const view = new DataView(file.buffer, file.byteOffset);
  const dataStart = headerStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (file.length < dataStart) throw new FormatError('its header is cut off');

  const { dtype, fortranOrder, shape } = parseHeader(new TextDecoder().decode(file.subarray(headerStart, dataStart)));
  const Elements = constructors[dtype];
  const count = shape.reduce((product, size) => product * size, 1);
  const expected = count * Elements.BYTES_PER_ELEMENT;
  if (file.length - dataStart !== expected)
    throw new FormatError(
      `shape (${shape.join(', ')}) of ${dtype} needs ${expected} bytes of data, but there are ${file.length - dataStart}`,
    );
  const bytes = file.subarray(dataStart);
  const aligned = bytes.byteOffset % Elements.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  const data = new Elements(aligned.buffer, aligned.byteOffset, count);
  return { shape, dtype, data: fortranOrder && shape.length > 1 ? rowMajor(data, shape) : data };
}

/**
 * One array of an `.npz` archive.
 *
 * @param name with or without `.npy`
 * @throws FormatError for a damaged archive, or when it has no such array
 */
export function decodeNpz(archive: Uint8Array, name: string): NpyArray {
  const names: string[] = [];
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(archive, {
      filter: (file) => {
        names.push(arrayName(file.name));
        return names.at(-1) === arrayName(name);
      },
    });
  } catch (error) {
    throw new FormatError(`it is no valid .npz archive (${(error as Error).message})`);
  }
  const [file] = Object.values(files);
  if (file === undefined) throw new FormatError(`it has no array '${name}'; it has ${names.join(', ') || 'none'}`);
  return decodeNpy(file);
}

function arrayName(fileName: string): string {
  return fileName.replace(/\.npy$/, '');
}

function parseHeader(header: string): { dtype: NpyDtype; fortranOrder: boolean; shape: number[] } {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const sizes = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (order === undefined || sizes === undefined || !header.includes("'descr'"))
    throw new FormatError('its header is damaged');
  const dtype = descr?.replace(/^[<|]/, '');
  if (dtype === undefined || !isDtype(dtype))
    throw new FormatError(
      `its element type ${descr ?? 'is structured and'} cannot be read; supported are little-endian ${Object.keys(constructors).join(', ')}`,
    );
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  return { dtype, fortranOrder: order === 'True', shape };
}

function isDtype(dtype: string): dtype is NpyDtype {
  return dtype in constructors;
}

/** Column-major (Fortran) to row-major (C) order. */
function rowMajor<T extends NpyArray['data']>(columns: T, shape: readonly number[]): T {
  const result = columns.slice() as T;
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < columns.length; to++) {
    result[to] = columns[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}
