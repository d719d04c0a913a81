/** @file Tensors of a safetensors file; weights of a packed one are rebuilt when their numbers are asked for. */
import { FormatError } from '../../formats/formatError.ts';
import { isPacked, PackedReader } from '../../formats/packed/packedFile.ts';
import { decodeSafetensor, readSafetensorsHeader, type SafetensorEntry } from '../../formats/safetensors.ts';
import { formatCount } from '../../protocol/formatQuantity.ts';
import { elementCount } from '../../protocol/shape.ts';
import type { ElementTypeName } from '../../formats/elementTypes.ts';
import { matrixViewOfTensor } from '../matrixView.ts';
import type { OpenedFile } from '../openedFile.ts';
import { bytesOfSegments, decodeElements } from '../storedNumbers.ts';
import type { StoredTensor } from '../tensor.ts';
import { unreadable, type ReadModel } from './readModel.ts';

const types: Readonly<Record<string, ElementTypeName>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F8_E4M3: 'float8_e4m3fn',
  F8_E5M2: 'float8_e5m2',
  I64: 'int64',
  U64: 'uint64',
  I32: 'int32',
  U32: 'uint32',
  I16: 'int16',
  U16: 'uint16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};
/** A weight is rebuilt as a whole, 4 bytes a number. */
const MOST_REBUILT = 2 ** 26;

export function readSafetensors(file: OpenedFile): ReadModel {
  const { entries, metadata } = readSafetensorsHeader(file);
  const packed = isPacked(metadata) ? packedReader(entries, metadata, file) : undefined;
  const tensors = entries.map((entry) => (packed && packedTensor(entry, packed)) ?? plainTensor(entry, file));
  const isTensor = new Set(entries.map(({ name }) => name));
  return {
    format: packed ? 'packed safetensors' : 'safetensors',
    tensors,
    metadata: Object.entries(metadata).filter(([key]) => !packed || !isTensor.has(key)),
  };
}

function plainTensor({ name, dtype, shape, begin, end }: SafetensorEntry, file: OpenedFile): StoredTensor {
  const elements = elementCount(shape);
  const known = { name, shape, elements, bytes: end - begin };
  if (!Object.hasOwn(types, dtype))
    return unreadable({ ...known, dtype: dtype.slice(0, 40) }, 'its element type cannot be read');
  const type = types[dtype];
  return {
    ...known,
    dtype: type,
    view: matrixViewOfTensor(shape, name),
    numbers: () => decodeElements(bytesOfSegments([{ file, begin, end }]), type, elements),
  };
}

function packedReader(
  entries: readonly SafetensorEntry[],
  metadata: Readonly<Record<string, string>>,
  file: OpenedFile,
): PackedReader {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return new PackedReader(metadata, (name) => {
    const entry = byName.get(name);
    return entry && decodeSafetensor(entry, file.read(entry.begin, entry.end));
  });
}

/** Undefined for a tensor that is stored as it is. */
function packedTensor({ name, begin, end }: SafetensorEntry, reader: PackedReader): StoredTensor | undefined {
  const known = { name, shape: [], dtype: 'float32', elements: 0, bytes: end - begin };
  let description;
  try {
    description = reader.describe(name);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return unreadable(known, error.message, error.remedy);
  }
  if (description === undefined) return undefined;
  const { shape, form } = description;
  const elements = elementCount(shape);
  const tensor = { ...known, shape, elements, form: form.slice(0, 40) };
  if (elements > MOST_REBUILT)
    return unreadable(
      tensor,
      `it has ${formatCount(elements)} numbers; at most ${formatCount(MOST_REBUILT)} are rebuilt`,
    );
  return {
    ...tensor,
    view: matrixViewOfTensor(shape, name),
    async *numbers() {
      yield reader.read(name).rebuild();
    },
  };
}
