/** @file Datasets of HDF5 files as arrays that are read by rows. */
import { elementCount } from '../protocol/shape.ts';
import { elementsOf, type NumericArray } from './elements.ts';
import type { ElementTypeName } from './elementTypes.ts';
import { FormatError } from './formatError.ts';
import { float32FromBfloat16, float32FromFloat16 } from './halfPrecision.ts';
import type { Hdf5File } from './hdf5.ts';
import type { RowSource } from './rowSource.ts';

/** The elements as they are stored, halves of floats apart, which become float32. */
const decoders: Readonly<Partial<Record<ElementTypeName, (bytes: Uint8Array) => NumericArray>>> = {
  float16: float32FromFloat16,
  bfloat16: float32FromBfloat16,
  float32: (bytes) => elementsOf(bytes, Float32Array),
  float64: (bytes) => elementsOf(bytes, Float64Array),
  int8: (bytes) => elementsOf(bytes, Int8Array),
  int16: (bytes) => elementsOf(bytes, Int16Array),
  int32: (bytes) => elementsOf(bytes, Int32Array),
  int64: (bytes) => elementsOf(bytes, BigInt64Array),
  uint8: (bytes) => elementsOf(bytes, Uint8Array),
  uint16: (bytes) => elementsOf(bytes, Uint16Array),
  uint32: (bytes) => elementsOf(bytes, Uint32Array),
  uint64: (bytes) => elementsOf(bytes, BigUint64Array),
  bool: (bytes) => elementsOf(bytes, Uint8Array),
};

/**
 * @param file stays open as long as rows are read
 * @param path of the dataset, with or without a slash in front
 * @throws FormatError when there is no such dataset, or its elements are no numbers or cannot be read
 */
export function hdf5Rows(file: Hdf5File, path: string): RowSource {
  const dataset = file.dataset(path.replace(/^\/+/, ''));
  if (dataset === undefined) {
    const others = file.datasets.map((other) => other.path);
    const listed = others.slice(0, 8).join(', ') + (others.length > 8 ? `, … (${others.length})` : '');
    throw new FormatError(`it has no dataset '${path}'; it has ${listed || 'none'}`);
  }
  const { shape, type, kind, problem } = dataset;
  if (problem)
    throw new FormatError(`its dataset '${path}' cannot be read: ${problem.reason}`, { remedy: problem.remedy });
  const decode = type === undefined || type === 'string' ? undefined : decoders[type];
  if (decode === undefined) throw new FormatError(`its dataset '${path}' holds ${kind}, not numbers`);
  return {
    shape,
    bytes: elementCount(shape) * decode(new Uint8Array(0)).BYTES_PER_ELEMENT,
    isWhole: false,
    rows: (begin, end) => decode(file.read(dataset, begin, end)),
  };
}
