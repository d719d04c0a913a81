/** @file Arrays of NumPy: `.npy`, and `.npz`, an archive of them. */
import { FormatError } from '../../formats/formatError.ts';
import { inflateHead } from '../../formats/inflate.ts';
import { npyElements, readNpyHeader, reversedElements, type NpyHeader } from '../../formats/npy.ts';
import { columnMajorStrides } from '../../formats/strided.ts';
import { ZipArchive, type ZipEntry } from '../../formats/zip.ts';
import { elementCount } from '../../protocol/shape.ts';
import { bytesOfElements, elementTypes, type ElementTypeName } from '../../formats/elementTypes.ts';
import { matrixViewOfTensor } from '../matrixView.ts';
import type { OpenedFile } from '../openedFile.ts';
import { bytesOfSegments, decodeElements, inflated, skipped } from '../storedNumbers.ts';
import type { StoredTensor } from '../tensor.ts';
import { uniqueNames, unreadable, type ReadModel } from './readModel.ts';

const types = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
} as const satisfies Record<string, ElementTypeName>;

/** The longest header that is read, and what is before it. */
const HEAD_BYTES = 2 ** 16 + 12;
/** Compressed bytes that hold an array's header. */
const COMPRESSED_HEAD_BYTES = 2 ** 12;

export function readNpy(file: OpenedFile, name: string): ReadModel {
  const header = readNpyHeader(file.read(0, Math.min(file.length, HEAD_BYTES)));
  const content = () => bytesOfSegments([{ file, begin: 0, end: file.length }]);
  const tensor = arrayTensor(name, header, file.length, content);
  const stored = file.length - header.dataStart;
  return { format: 'NumPy array', tensors: [{ ...tensor, bytes: stored }], metadata: [] };
}

export function readNpz(file: OpenedFile): ReadModel {
  const archive = new ZipArchive(file, '.npz archive');
  const arrays = archive.entries.filter(({ name }) => name.endsWith('.npy'));
  if (arrays.length === 0)
    throw new FormatError('it is a zip archive without arrays (.npy)', {
      remedy: 'Write arrays with numpy.savez, or take the model out of the archive.',
    });
  const unique = uniqueNames();
  const tensors = arrays.map((entry) => entryTensor(unique(entry.name.replace(/\.npy$/, '')), entry, archive, file));
  return { format: 'NumPy archive', tensors, metadata: [] };
}

function entryTensor(name: string, entry: ZipEntry, archive: ZipArchive, file: OpenedFile): StoredTensor {
  try {
    const { begin, end, isDeflated } = archive.locate(entry);
    const most = isDeflated ? COMPRESSED_HEAD_BYTES : HEAD_BYTES;
    const head = file.read(begin, Math.min(end, begin + most));
    const header = readNpyHeader(isDeflated ? inflateHead(head, 'deflate', begin + head.length === end) : head);
    const segments = [{ file, begin, end }];
    const content = () => (isDeflated ? inflated(bytesOfSegments(segments)) : bytesOfSegments(segments));
    const tensor = arrayTensor(name, header, isDeflated ? undefined : end - begin, content);
    return { ...tensor, bytes: end - begin, ...(isDeflated && { form: 'deflate' }) };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const nothing = { name, shape: [], dtype: '?', elements: 0, bytes: entry.compressedBytes };
    return unreadable(nothing, error.message, error.remedy);
  }
}

/**
 * @param length bytes of the content, where they are known
 * @param content the file of the array
 */
function arrayTensor(
  name: string,
  header: NpyHeader,
  length: number | undefined,
  content: () => AsyncIterable<Uint8Array>,
): StoredTensor {
  const { shape, descr, dataStart, fortranOrder } = header;
  const elements = elementCount(shape);
  const known = { name, shape, elements, bytes: 0 };
  if (!Number.isSafeInteger(elements))
    return unreadable({ ...known, dtype: descr ?? '?' }, `it would have ${elements} numbers`);
  let stored;
  try {
    stored = npyElements(header);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return unreadable({ ...known, dtype: descr ?? 'records' }, error.message, error.remedy);
  }
  const type = types[stored.dtype];
  const size = elementTypes[type].bits / 8;
  const expected = bytesOfElements(type, elements);
  if (length !== undefined && length - dataStart !== expected)
    return unreadable(
      { ...known, dtype: type },
      `shape (${shape.join(', ')}) of ${type} needs ${expected} bytes, but there are ${length - dataStart}`,
    );
  const bytes = () => skipped(content(), dataStart);
  return {
    ...known,
    dtype: type,
    view: matrixViewOfTensor(shape, name, { columnMajor: fortranOrder }),
    ...(fortranOrder && { strides: columnMajorStrides(shape) }),
    numbers: () => decodeElements(stored.bigEndian && size > 1 ? reversed(bytes(), size) : bytes(), type, elements),
  };
}

async function* reversed(parts: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let begun = new Uint8Array(0);
  for await (const part of parts) {
    const all = Buffer.concat([begun, part]);
    const whole = all.length - (all.length % size);
    yield reversedElements(all.subarray(0, whole), size);
    begun = Uint8Array.from(all.subarray(whole));
  }
  if (begun.length > 0) yield begun;
}
