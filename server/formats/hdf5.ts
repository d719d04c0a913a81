/**
 * @file HDF5 files, read by ranges with the HDF5 library itself, compiled to WebAssembly (h5wasm): groups, datasets of every layout,
 * attributes. The library sees one file, which is that of the reader, and none of the machine: links to other files lead nowhere.
 */
import type * as h5wasm from 'h5wasm';
import { messageOf } from '../protocol/thrown.ts';
import { elementCount, isSizes } from '../protocol/shape.ts';
import type { ByteSource } from './byteSource.ts';
import { bytesOfElements, type ElementTypeName } from './elementTypes.ts';
import { FormatError } from './formatError.ts';

export interface Hdf5Dataset {
  /** From the root, without a slash in front: `layers/dense/vars/0`. */
  readonly path: string;
  readonly shape: readonly number[];
  /** Undefined for what is neither numbers nor texts: {@link kind} says what it is. */
  readonly type: ElementTypeName | 'string' | undefined;
  /** The type, or the class of types that HDF5 calls it: `compound`. */
  readonly kind: string;
  /** Rows that were compressed together, and are best read together; 1 where the rows lie one behind the other. */
  readonly chunkRows: number;
  /** What keeps its elements from being read. */
  readonly problem?: Problem;
}

interface Problem {
  /** A clause, as of a {@link FormatError}. */
  readonly reason: string;
  readonly remedy: string;
}

export type Hdf5Attribute = string | number | readonly (string | number)[];

type Library = Pick<typeof h5wasm, 'Attribute' | 'Dataset'>;
type Module = typeof h5wasm.Module;

/** Parts of a file system of Emscripten that its types leave out. */
interface FileSystem {
  readonly streams: readonly object[];
  readonly ErrnoError: new (code: number) => Error;
  writeFile(path: string, data: Uint8Array): void;
  unlink(path: string): void;
  lookupPath(path: string): { node: FileNode };
  createDevice(parent: string, name: string, input: null, output: (byte: number) => void): void;
  open(path: string, flags: string): object;
  close(stream: object): void;
}
interface FileNode {
  usedBytes: number;
  stream_ops: Readonly<Record<string, unknown>> & {
    read(stream: object, buffer: Uint8Array, offset: number, length: number, position: number): number;
  };
}

const INPUT_OUTPUT_ERROR = 29;
/** Names of objects, and depth of groups within one another: more is damage, or meant to harm. */
const MOST_OBJECTS = 200_000;
const DEEPEST = 32;
/** Bytes that are read at once: the library has 2 GiB of memory in all. */
const MOST_BYTES = 2 ** 30;
const PART_BYTES = 2 ** 20;
/**
 * Elements that are not in the file are as many as it says: in what was never written, a fill value. More bytes than these are
 * not read where they are also more than Deflate can make of the file, which is about a thousand times its own.
 */
const MOST_UNWRITTEN = 2 ** 28;
const MOST_EXPANSION = 1100;
/** Compressions that are part of the HDF5 library. */
const LAST_BUILT_IN_FILTER = 6;

const ONE_DATASET =
  'Write them into one dataset of this file (in Python: file.create_dataset(NAME, data=source[NAME][:])), or name the other file.';
const WRITE_AGAIN = 'Write the file again, and close it (in Python: with h5py.File(…) as file), or copy it again.';

const kinds: Readonly<Record<number, string>> = {
  2: 'time',
  4: 'bit field',
  5: 'opaque',
  6: 'compound',
  7: 'reference',
  8: 'enumeration',
  9: 'sequences',
  10: 'array',
};

/** The library, and what it last said of an error. */
class Hdf5Library {
  readonly module: Module;
  readonly classes: Library;
  readonly files: FileSystem;
  #said = '';
  #opened = 0;

  constructor(classes: Library, module: Module) {
    this.classes = classes;
    this.module = module;
    this.files = module.FS as unknown as FileSystem;
    // It prints what goes wrong to the standard error stream, the third of a program.
    this.files.createDevice('/dev', 'errors', null, (byte) => (this.#said += String.fromCharCode(byte)));
    this.files.close(this.files.streams[2]);
    this.files.open('/dev/errors', 'w');
  }

  /** @returns the path under which the library finds the bytes */
  mount(source: ByteSource, failed: (error: unknown) => void): string {
    const path = `/${++this.#opened}.h5`;
    this.files.writeFile(path, new Uint8Array(0));
    const { node } = this.files.lookupPath(path);
    node.usedBytes = source.length;
    node.stream_ops = {
      ...node.stream_ops,
      read: (_, buffer, offset, length, position) => {
        const end = Math.min(position + length, source.length);
        if (end <= position) return 0;
        try {
          buffer.set(source.read(position, end), offset);
        } catch (error) {
          failed(error);
          throw new this.files.ErrnoError(INPUT_OUTPUT_ERROR);
        }
        return end - position;
      },
    };
    return path;
  }

  /** What the library said since the last call: the reasons, the first of them last. */
  takeReasons(): string[] {
    const reasons = Array.from(this.#said.matchAll(/^ +#\d+: .* in (\w+)\(\): (.*)$/gm), ([, name, reason]) => ({
      name,
      reason,
    }));
    this.#said = '';
    return reasons.filter(({ name }) => !name.startsWith('H5PL')).map(({ reason }) => reason);
  }
}

let library: Promise<Hdf5Library> | undefined;

/** Loaded with the first file: it has several megabytes. */
async function loadLibrary(): Promise<Hdf5Library> {
  const classes = await import('h5wasm');
  return new Hdf5Library(classes, await classes.ready);
}

export class Hdf5File {
  /** In the order of their paths. */
  readonly datasets: readonly Hdf5Dataset[];
  readonly #byPath: ReadonlyMap<string, Hdf5Dataset>;
  readonly #library: Hdf5Library;
  readonly #mounted: string;
  readonly #id: bigint;
  /** Length of the file. */
  readonly #bytes: number;
  readonly #paths = new Set<string>(['']);
  /** What kept the source from being read. */
  #sourceError: { readonly error: unknown } | undefined;

  /**
   * Reads what a file says of its datasets, and none of their elements.
   * @param source the bytes of the file, which are read while it is open
   * @throws FormatError for another file, and one that is damaged or cut off
   */
  static async open(source: ByteSource): Promise<Hdf5File> {
    return new Hdf5File(await (library ??= loadLibrary()), source);
  }

  private constructor(loaded: Hdf5Library, source: ByteSource) {
    this.#library = loaded;
    this.#bytes = source.length;
    this.#mounted = loaded.mount(source, (error) => (this.#sourceError ??= { error }));
    try {
      this.#id = this.#call(() => loaded.module.open(this.#mounted));
      this.datasets = this.#call(() => this.#findDatasets());
      this.#byPath = new Map(this.datasets.map((dataset) => [dataset.path, dataset]));
    } catch (error) {
      loaded.files.unlink(this.#mounted);
      throw error;
    }
  }

  /** The dataset with a path; undefined where there is none. */
  dataset(path: string): Hdf5Dataset | undefined {
    return this.#byPath.get(path);
  }

  /**
   * Attributes of a group or a dataset, those with texts and numbers; none for one that is not there.
   * @param path from the root, which is the empty path
   * @throws FormatError where they are damaged
   */
  attributes(path: string): ReadonlyMap<string, Hdf5Attribute> {
    if (!this.#paths.has(path)) return new Map();
    const { module, classes } = this.#library;
    return this.#call(() => {
      const names = module.get_attribute_names(this.#id, `/${path}`);
      const found = names.flatMap((name): [string, Hdf5Attribute][] => {
        const value = toAttribute(new classes.Attribute(this.#id, `/${path}`, name).json_value);
        return value === undefined ? [] : [[name, value]];
      });
      return new Map(found);
    });
  }

  /**
   * The elements of rows, which are the entries of the first axis; a dataset without axes has one row.
   * @returns numbers little-endian and row-major, in bytes of their own
   * @throws FormatError where they are damaged, and for elements that are no numbers
   */
  read(dataset: Hdf5Dataset, begin = 0, end = rowsOf(dataset)): Uint8Array {
    const { path, shape, type, kind } = dataset;
    checkProblem(dataset);
    if (type === undefined || type === 'string') throw new FormatError(`'${path}' holds ${kind}, not numbers`);
    const [, ...row] = shape;
    const count = bytesOfElements(type, (end - begin) * elementCount(row));
    if (count > MOST_BYTES)
      throw new FormatError(`'${path}' would give ${count} bytes at once; at most ${MOST_BYTES} can be read`, {
        remedy: 'Write it with shorter rows, or in smaller chunks (in Python: create_dataset(…, chunks=…)).',
      });
    if (count === 0) return new Uint8Array(0);
    const { module } = this.#library;
    return this.#call(() => {
      this.#checkFilters(path);
      const counts = shape.length === 0 ? null : [end - begin, ...row].map(BigInt);
      const offsets = shape.length === 0 ? null : [begin, ...row.map(() => 0)].map(BigInt);
      const strides = shape.length === 0 ? null : shape.map(() => 1n);
      const at = module._malloc(count);
      if (at === 0) throw new FormatError(`'${path}' needs ${count} bytes of memory, more than there are`);
      try {
        const status = module.get_dataset_data(this.#id, `/${path}`, counts, offsets, strides, BigInt(at));
        if (status < 0) throw new Error();
        return module.HEAPU8.slice(at, at + count);
      } finally {
        module._free(at);
      }
    }, path);
  }

  /**
   * All elements of a dataset, about a megabyte at a time.
   * @throws FormatError as {@link read}
   */
  *parts(dataset: Hdf5Dataset): Generator<Uint8Array> {
    const { shape, type, chunkRows } = dataset;
    const rowBytes = type === undefined || type === 'string' ? 1 : bytesOfElements(type, elementCount(shape.slice(1)));
    const chunks = Math.max(1, Math.floor(PART_BYTES / Math.max(1, rowBytes * chunkRows)));
    const rows = rowsOf(dataset);
    for (let begin = 0; begin < rows; begin += chunks * chunkRows)
      yield this.read(dataset, begin, Math.min(rows, begin + chunks * chunkRows));
  }

  /** All texts of a dataset. @throws FormatError where they are damaged, and for elements that are no texts */
  texts(dataset: Hdf5Dataset): string[] {
    const { path, shape, type, kind } = dataset;
    checkProblem(dataset);
    if (type !== 'string') throw new FormatError(`'${path}' holds ${kind}, not texts`);
    if (elementCount(shape) === 0) return [];
    const { classes } = this.#library;
    return this.#call(() => {
      this.#checkFilters(path);
      const texts = new classes.Dataset(this.#id, `/${path}`).json_value;
      return [texts].flat().map(String);
    }, path);
  }

  close(): void {
    const { module, files } = this.#library;
    try {
      module.close_file(this.#id);
    } finally {
      files.unlink(this.#mounted);
    }
  }

  #findDatasets(): Hdf5Dataset[] {
    const { module } = this.#library;
    const names = module.get_names(this.#id, '/', true);
    if (names.length > MOST_OBJECTS) throw new FormatError(`it has more than ${MOST_OBJECTS} groups and datasets`);
    return names.flatMap((path) => {
      if (path.split('/').length > DEEPEST)
        throw new FormatError(`its groups are nested deeper than ${DEEPEST} in one another`);
      const type = module.get_type(this.#id, `/${path}`);
      if (type === module.H5G_GROUP) this.#paths.add(path);
      if (type !== module.H5G_DATASET) return [];
      this.#paths.add(path);
      const metadata = module.get_dataset_metadata(this.#id, `/${path}`);
      // A dataset without a shape has no elements.
      const shape = metadata.shape ?? [0];
      const chunkRows = Math.max(1, metadata.chunks?.[0] ?? 1);
      if (!Number.isSafeInteger(elementCount(shape)) || !isSizes(shape))
        return [{ path, shape: [], type: undefined, kind: 'more numbers than there can be', chunkRows }];
      const elements = this.#typeOf(metadata, path);
      const kind = elements ?? kinds[metadata.type] ?? 'unknown elements';
      const problem = this.#problemOf(metadata);
      return [{ path, shape, type: elements, kind, chunkRows, ...(problem && { problem }) }];
    });
  }

  #problemOf({ virtual_sources: sources, shape, size }: h5wasm.Metadata): Problem | undefined {
    const place = sources && this.#placeOutside(sources, 0);
    if (place !== undefined) return { reason: `its numbers are in ${place}`, remedy: ONE_DATASET };
    const bytes = elementCount(shape ?? [0]) * size;
    if (bytes <= Math.max(MOST_UNWRITTEN, MOST_EXPANSION * this.#bytes)) return undefined;
    return {
      reason: `it would have ${bytes} bytes, of which most were never written: the file has ${this.#bytes}`,
      remedy: 'Write its numbers, or create it with the size that they have.',
    };
  }

  /** Where a virtual dataset has numbers that are not in this file; the library takes zeros for them. */
  #placeOutside(sources: NonNullable<h5wasm.Metadata['virtual_sources']>, depth: number): string | undefined {
    const { module } = this.#library;
    for (const { file_name: file, dset_name: name } of sources) {
      if (file !== '.') return `another file (${file.slice(0, 200)})`;
      // A pattern, as of `part%b`, names as many datasets as there are.
      if (name.includes('%')) continue;
      const path = `/${name.replace(/^\/+/, '')}`;
      if (depth > DEEPEST || module.get_type(this.#id, path) !== module.H5G_DATASET)
        return `the dataset '${name.slice(0, 200)}', which the file lacks`;
      const { virtual_sources: further } = module.get_dataset_metadata(this.#id, path);
      const place = further && this.#placeOutside(further, depth + 1);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  #typeOf({ type, size, signed, enum_type: names }: h5wasm.Metadata, path: string): Hdf5Dataset['type'] {
    const { H5T_class_t: classes } = this.#library.module;
    // NumPy has no bfloat16: h5py stores it as bytes, and Keras says in an attribute what they are.
    if (size === 2 && (type === classes.H5T_OPAQUE.value || type === classes.H5T_FLOAT.value))
      if (this.attributes(path).get('dtype') === 'bfloat16') return 'bfloat16';
    if (type === classes.H5T_STRING.value) return 'string';
    if (type === classes.H5T_FLOAT.value && (size === 2 || size === 4 || size === 8)) return floats[size];
    if (type === classes.H5T_INTEGER.value && (size === 1 || size === 2 || size === 4 || size === 8))
      return (signed ? signedIntegers : unsignedIntegers)[size];
    if (type === classes.H5T_BITFIELD.value && size === 1) return 'uint8';
    // As h5py has it.
    if (type === classes.H5T_ENUM.value && size === 1 && names && 'FALSE' in names.members) return 'bool';
    return undefined;
  }

  /** @throws FormatError for a compression that is not part of the HDF5 library */
  #checkFilters(path: string): void {
    const { module } = this.#library;
    const unknown = module.get_dataset_filters(this.#id, `/${path}`).find(({ id }) => id > LAST_BUILT_IN_FILTER);
    if (unknown)
      throw new FormatError(
        `'${path}' is compressed by the filter ${unknown.name || unknown.id}, which is not part of HDF5 itself`,
        { remedy: "Write it with another compression (in Python: create_dataset(…, compression='gzip')), or without." },
      );
  }

  /** @throws FormatError with the reason of the library, where it fails; what the source threw, where that failed */
  #call<T>(read: () => T, path?: string): T {
    let reason = '';
    try {
      const result = read();
      if (!this.#sourceError && !(typeof result === 'bigint' && result < 0n)) return result;
    } catch (error) {
      if (error instanceof FormatError && !this.#sourceError) throw error;
      reason = messageOf(error);
    }
    if (this.#sourceError) throw this.#sourceError.error;
    throw this.#explained(path, reason);
  }

  #explained(path: string | undefined, otherwise: string): FormatError {
    const reason = this.#library.takeReasons().at(-1) ?? otherwise;
    const what = path === undefined ? 'it' : `'${path}'`;
    if (reason.includes('external raw data file'))
      return new FormatError(`the numbers of ${what} are in another file`, { remedy: ONE_DATASET });
    if (reason.includes('signature not found')) return new FormatError('it is no HDF5 file');
    const [, expected] = /truncated file: .*stored_eof = (\d+)/.exec(reason) ?? [];
    if (expected !== undefined)
      return new FormatError(`it is cut off: it should have ${expected} bytes`, { remedy: WRITE_AGAIN });
    return new FormatError(`${what} is damaged${reason === '' ? '' : ` (HDF5: ${reason})`}`, { remedy: WRITE_AGAIN });
  }
}

/** @throws FormatError for a dataset that cannot be read */
function checkProblem({ path, problem }: Hdf5Dataset): void {
  if (problem) throw new FormatError(`'${path}' cannot be read: ${problem.reason}`, { remedy: problem.remedy });
}

const floats = { 2: 'float16', 4: 'float32', 8: 'float64' } as const;
const signedIntegers = { 1: 'int8', 2: 'int16', 4: 'int32', 8: 'int64' } as const;
const unsignedIntegers = { 1: 'uint8', 2: 'uint16', 4: 'uint32', 8: 'uint64' } as const;

function rowsOf({ shape }: Hdf5Dataset): number {
  return shape.length === 0 ? 1 : shape[0];
}

function toAttribute(value: unknown): Hdf5Attribute | undefined {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (!Array.isArray(value)) return undefined;
  const items = value.map(toAttribute);
  return items.every((item): item is string | number => typeof item === 'string' || typeof item === 'number')
    ? items
    : undefined;
}
