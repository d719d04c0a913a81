/**
 * @file Files of `torch.save`: a pickle of tables whose tensors are views of storages, and the bytes of the storages. Since PyTorch 1.6
 * a zip archive (`NAME/data.pkl`, `NAME/data/KEY`), before that pickles one behind the other and then the storages
 * (torch/serialization.py). Nothing of the pickle is executed: torch/_weights_only_unpickler.py has the same idea.
 */
import { isSizes } from '../../protocol/shape.ts';
import type { ByteSource } from '../byteSource.ts';
import { FormatError } from '../formatError.ts';
import { rowMajorStrides } from '../strided.ts';
import { ZipArchive } from '../zip.ts';
import { PickleGlobal, PickleObject, readPickle, type PickleNames, type PickleValue } from './pickle.ts';

export interface TorchTensor {
  /** In the state dict, `fc1.weight`; of a tensor beside it, with the keys of all tables that it is in, `optimizer.state.0.exp_avg`. */
  readonly name: string;
  /** False for a tensor of a checkpoint beside its state dict. */
  readonly isOfModel: boolean;
  /** `float32`, as PyTorch calls it. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** In elements, for each axis; not necessarily row-major. */
  readonly strides: readonly number[];
  /** First element in the storage. */
  readonly offset: number;
  /** True where the numbers are those of the storage with the other sign. */
  readonly isNegated: boolean;
  /** True for one whose zeros are not stored, of which nothing but the shape and the type is read: it has no storage. */
  readonly isSparse: boolean;
  /** Bytes of the storage in the file. */
  readonly storage: { readonly begin: number; readonly end: number };
}

/** The state dict of a checkpoint stands under one of these keys, by their rank. */
const STATE_DICTS = ['state_dict', 'model_state_dict', 'model', 'module', 'net', 'network', 'weights', 'params', 'ema'];
/** Tables within one another, and values in all of them, that are looked through. */
const MOST_DEPTH = 16;
const MOST_VALUES = 1_000_000;

const SAVE_STATE = "Save the state dict alone, in Python: torch.save(model.state_dict(), 'net.pt').";
const SAVE_AGAIN = "Save it again, in Python: torch.save(torch.load('net.pt'), 'net.pt').";

/** `class FloatStorage` and the others of torch/_utils.py, with the bytes of an element. */
const storageTypes: Readonly<Record<string, readonly [dtype: string, bytes: number]>> = {
  FloatStorage: ['float32', 4],
  DoubleStorage: ['float64', 8],
  HalfStorage: ['float16', 2],
  BFloat16Storage: ['bfloat16', 2],
  LongStorage: ['int64', 8],
  IntStorage: ['int32', 4],
  ShortStorage: ['int16', 2],
  CharStorage: ['int8', 1],
  ByteStorage: ['uint8', 1],
  BoolStorage: ['bool', 1],
  ComplexFloatStorage: ['complex64', 8],
  ComplexDoubleStorage: ['complex128', 16],
  QInt8Storage: ['qint8', 1],
  QUInt8Storage: ['quint8', 1],
  QInt32Storage: ['qint32', 4],
  QUInt4x2Storage: ['quint4x2', 1],
  QUInt2x4Storage: ['quint2x4', 1],
};
/** Element types that are given beside a storage of bytes. */
const dtypes = [
  ...['float64', 'float32', 'float16', 'bfloat16', 'float8_e4m3fn', 'float8_e5m2', 'complex64', 'complex128', 'bool'],
  ...['int64', 'int32', 'int16', 'int8', 'uint64', 'uint32', 'uint16', 'uint8'],
];
/** How the numbers of a quantized tensor are rounded, which is not read. */
const schemes = ['per_tensor_affine', 'per_channel_affine', 'per_channel_affine_float_qparams'];

/** What a persistent id stands for. */
class Storage extends PickleObject {
  readonly key: string;
  /** Undefined for one of bytes, whose tensors say their type. */
  readonly dtype: string | undefined;
  readonly bytes: number;

  constructor(key: string, dtype: string | undefined, bytes: number) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.bytes = bytes;
  }
}

class View extends PickleObject {
  readonly storage: Storage;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly isNegated: boolean;

  /** @param metadata a table with `neg` where PyTorch has put off the change of sign */
  constructor([storage, offset, shape, strides]: readonly PickleValue[], dtype?: string, metadata?: PickleValue) {
    super();
    const found = dtype ?? (storage instanceof Storage ? storage.dtype : undefined);
    if (
      !(storage instanceof Storage) ||
      found === undefined ||
      !isSizes([offset]) ||
      !isSizes(shape) ||
      !isSizes(strides)
    )
      throw new FormatError('its pickle has a tensor without a valid storage, shape or strides');
    if (shape.length !== strides.length)
      throw new FormatError(`its pickle has a tensor of ${shape.length} axes with strides for ${strides.length}`);
    this.storage = storage;
    this.dtype = found;
    this.shape = shape;
    this.strides = strides;
    this.offset = Number(offset);
    this.isNegated = metadata instanceof Map && metadata.get('neg') === true;
  }
}

/** A tensor whose zeros are not stored: indices and values instead. */
class SparseTensor extends PickleObject {
  readonly shape: readonly number[];
  readonly dtype: string;

  constructor([layout, data]: readonly PickleValue[]) {
    super();
    const parts = Array.isArray(data) ? data : [];
    // Coordinates: one tensor of indices, values, shape. Compressed rows and columns: two tensors of indices, values, shape.
    const [values, shape] = layout === 'torch.sparse_coo' ? parts.slice(1, 3) : parts.slice(2, 4);
    if (!(values instanceof View) || !isSizes(shape))
      throw new FormatError('its pickle has a sparse tensor without valid values or shape');
    this.shape = shape;
    this.dtype = values.dtype;
  }
}

/** Everything that a state dict asks for. */
const globals: ReadonlyMap<string, PickleGlobal> = new Map(
  Object.entries<PickleGlobal['call']>({
    'collections.OrderedDict': ([pairs = []]) =>
      new Map((Array.isArray(pairs) ? pairs : []).flatMap((pair) => (Array.isArray(pair) ? [[pair[0], pair[1]]] : []))),
    'torch._utils._rebuild_tensor': (args) => new View(args),
    'torch._utils._rebuild_tensor_v2': (args) => new View(args, undefined, args[6]),
    'torch._utils._rebuild_tensor_v3': (args) => new View(args, nameOfDtype(args[6]), args[7]),
    'torch._utils._rebuild_qtensor': (args) => new View(args),
    'torch._utils._rebuild_sparse_tensor': (args) => new SparseTensor(args),
    'torch.serialization._get_layout': ([name]) => name,
    'torch._utils._rebuild_parameter': ([data]) => data,
    'torch._utils._rebuild_parameter_with_state': ([data]) => data,
    'torch.Size': ([sizes = []]) => sizes,
    'torch.device': (args) => [...args],
    'builtins.set': ([items = []]) => items,
    '__builtin__.set': ([items = []]) => items,
    'torch.storage.UntypedStorage': undefined,
    ...Object.fromEntries(
      [...Object.keys(storageTypes), ...dtypes, ...schemes].map((name) => [`torch.${name}`, undefined]),
    ),
  }).map(([name, call]) => [name, new PickleGlobal(name, call)]),
);

function nameOfDtype(value: PickleValue | undefined): string | undefined {
  return value instanceof PickleGlobal ? value.name.replace(/^torch\./, '') : undefined;
}

const names: PickleNames = {
  find(name, isMade) {
    const found = globals.get(name);
    if (found) return found;
    const shown = name.slice(0, 200);
    if (name.startsWith('__torch__.'))
      throw new FormatError(`it holds a TorchScript module (${shown}), not a state dict`, {
        remedy: "Save its state dict, in Python: torch.save(torch.jit.load('net.pt').state_dict(), 'weights.pt').",
      });
    if (isMade)
      throw new FormatError(`it holds a whole pickled object of the class ${shown}, not a state dict alone`, {
        remedy: SAVE_STATE,
      });
    throw new FormatError(
      `its pickle asks Python for ${shown}, which no state dict needs; it is refused, and nothing was executed`,
      { remedy: `Do not load a file from a stranger that asks for it. For a checkpoint of your own: ${SAVE_STATE}` },
    );
  },
  persistent(id) {
    const [kind, type, key, , count, view] = Array.isArray(id) ? id : [];
    if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string' || !isSizes([count]))
      throw new FormatError('its pickle has a storage that is none');
    if (view !== undefined && view !== null)
      throw new FormatError(
        `the storage ${key.slice(0, 40)} is a part of another, as PyTorch wrote before version 0.4`,
        {
          remedy: SAVE_AGAIN,
        },
      );
    const [dtype, bytes] = storageTypes[type.name.replace(/^torch\./, '')] ?? [undefined, 1];
    return new Storage(key, dtype, Number(count) * bytes);
  },
};

/**
 * Reads what a file of `torch.save` says of its tensors, and none of their numbers.
 * @throws FormatError for another file, and one that is damaged, cut off, or asks for anything else than tensors in tables
 */
export function readTorchFile(file: ByteSource): TorchTensor[] {
  const head = file.read(0, Math.min(4, file.length));
  if (head[0] === 0x50 && head[1] === 0x4b) return readArchive(file);
  if (head[0] === 0x80) return readLegacy(file);
  throw new FormatError('it is no file of torch.save: it begins neither as a zip archive nor as a pickle', {
    remedy: 'Write it with torch.save(model.state_dict(), …), or copy it again.',
  });
}

function readArchive(file: ByteSource): TorchTensor[] {
  const archive = new ZipArchive(file, 'file of torch.save');
  const entries = new Map(archive.entries.map((entry) => [entry.name, entry]));
  const pickle = archive.entries.find(({ name }) => /(^|\/)data\.pkl$/.test(name));
  if (!pickle)
    throw new FormatError('it is a zip archive without data.pkl, which torch.save writes', { remedy: SAVE_STATE });
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  const locate = (name: string) => {
    const entry = entries.get(name);
    if (!entry) throw new FormatError(`it lacks ${name}: it was not written to its end`, { remedy: SAVE_AGAIN });
    // What is not compressed cannot become larger than the file.
    if (entry.method !== 0)
      throw new FormatError(`${name} is compressed, which torch.save never does`, { remedy: SAVE_AGAIN });
    return archive.locate(entry);
  };
  if (entries.has(`${folder}byteorder`)) {
    const { begin, end } = locate(`${folder}byteorder`);
    checkByteOrder(new TextDecoder().decode(file.read(begin, Math.min(end, begin + 16))).trim() !== 'big');
  }
  const { begin, end } = locate(pickle.name);
  const part: ByteSource = { length: end, read: (from, to) => file.read(from, to) };
  const { value } = readPickle(part, begin, names);
  return tensorsOf(value, ({ key }) => locate(`${folder}data/${key}`));
}

/** What stands before the pickle of the tables: a number, a version, and facts of the machine. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const COUNT_BYTES = 8;

function readLegacy(file: ByteSource): TorchTensor[] {
  const magic = readPickle(file, 0, names);
  if (magic.value !== LEGACY_MAGIC)
    throw new FormatError('it is a pickle, but none of torch.save', {
      remedy: 'Write it with torch.save(model.state_dict(), …).',
    });
  const version = readPickle(file, magic.end, names);
  const machine = readPickle(file, version.end, names);
  checkByteOrder(!(machine.value instanceof Map) || machine.value.get('little_endian') !== false);
  const storages = new Map<string, Storage>();
  const persistent = (id: PickleValue) => {
    const storage = names.persistent(id);
    if (storage instanceof Storage) storages.set(storage.key, storage);
    return storage;
  };
  const tables = readPickle(file, machine.end, { ...names, persistent });
  const keys = readPickle(file, tables.end, names);
  const places = new Map<string, { begin: number; end: number }>();
  let at = keys.end;
  for (const key of Array.isArray(keys.value) ? keys.value : []) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage) throw new FormatError('its list of storages is damaged');
    const begin = at + COUNT_BYTES;
    at = begin + storage.bytes;
    places.set(storage.key, { begin, end: at });
  }
  return tensorsOf(tables.value, (storage) => {
    const place = places.get(storage.key);
    if (!place) throw new FormatError(`it lacks the storage ${storage.key.slice(0, 40)}`);
    return place;
  }).map((tensor) => {
    if (tensor.storage.end > file.length)
      throw new FormatError(
        `tensor '${tensor.name}' ends at byte ${tensor.storage.end}, but the file has only ${file.length}: it is cut off`,
        { remedy: 'Copy or download it again.' },
      );
    return tensor;
  });
}

function checkByteOrder(isLittleEndian: boolean): void {
  if (!isLittleEndian)
    throw new FormatError('its numbers are big-endian', {
      remedy: `On a machine with another byte order: ${SAVE_AGAIN}`,
    });
}

/** All tensors of a value of Python, under the keys that lead to them. */
function tensorsOf(root: PickleValue, locate: (storage: Storage) => TorchTensor['storage']): TorchTensor[] {
  const found: { path: readonly string[]; view: View | SparseTensor }[] = [];
  let values = 0;
  const visit = (value: PickleValue, path: readonly string[]): void => {
    if (++values > MOST_VALUES || path.length > MOST_DEPTH)
      throw new FormatError(
        `its tables have more than ${MOST_VALUES} values, or more than ${MOST_DEPTH} tables in one another`,
      );
    if (isTensor(value)) found.push({ path, view: value });
    else if (value instanceof Map)
      for (const [key, entry] of value)
        if (typeof key === 'string' || typeof key === 'number') visit(entry, [...path, String(key)]);
        else values++;
    else if (Array.isArray(value)) value.forEach((entry, i) => visit(entry, [...path, String(i)]));
  };
  visit(root, []);
  if (found.length === 0) throw new FormatError('it holds no tensors', { remedy: SAVE_STATE });

  const places = new Map<string, TorchTensor['storage']>();
  const model = stateDictKeys(root);
  return found.map(({ path, view }) => {
    const isOfModel = model === undefined || (path.length > model.length && model.every((key, i) => path[i] === key));
    const name = path.slice(isOfModel ? (model ?? []).length : 0).join('.') || 'tensor';
    const { dtype, shape } = view;
    if (view instanceof SparseTensor)
      return {
        name,
        isOfModel,
        dtype,
        shape,
        strides: [],
        offset: 0,
        isNegated: false,
        isSparse: true,
        storage: { begin: 0, end: 0 },
      };
    const { storage, strides, offset, isNegated } = view;
    const place = places.get(storage.key) ?? locate(storage);
    places.set(storage.key, place);
    if (place.end - place.begin < storage.bytes)
      throw new FormatError(
        `tensor '${name}' needs ${storage.bytes} bytes, but its storage has only ${place.end - place.begin}: it is cut off`,
      );
    return { name, isOfModel, dtype, shape, strides, offset, isNegated, isSparse: false, storage: place };
  });
}

function isTensor(value: PickleValue): value is View | SparseTensor {
  return value instanceof View || value instanceof SparseTensor;
}

/** Keys from the root to the state dict of a checkpoint: none for a state dict alone; undefined where nothing tells which table it is. */
function stateDictKeys(root: PickleValue): readonly string[] | undefined {
  if (!(root instanceof Map)) return undefined;
  if (hasTensors(root)) return [];
  const tables = [...root].flatMap(([key, value]) => (typeof key === 'string' && hasTensors(value) ? [key] : []));
  const key = STATE_DICTS.find((known) => tables.includes(known)) ?? (tables.length === 1 ? tables[0] : undefined);
  return key === undefined ? undefined : [key];
}

function hasTensors(value: PickleValue): boolean {
  return value instanceof Map && [...value.values()].some(isTensor);
}

/** True for a tensor whose elements lie one behind the other in row-major order. */
export function isRowMajor({ shape, strides }: Pick<TorchTensor, 'shape' | 'strides'>): boolean {
  return rowMajorStrides(shape).every((stride, axis) => shape[axis] === 1 || strides[axis] === stride);
}
