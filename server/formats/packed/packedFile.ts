/**
 * @file Packed safetensors: weights in the form that compression left them. A compressed weight is a tensor of bytes, any other an
 * ordinary float32 tensor; the metadata say how the bytes are read. docs/format.md describes every byte.
 */
import { FormatError } from '../formatError.ts';
import type { ByteSource } from '../byteSource.ts';
import { joinPieces, type FilePieces } from '../filePieces.ts';
import { decodeSafetensors, openSafetensors, safetensorPieces, type Safetensor } from '../safetensors.ts';
import { BinaryCodesWeight } from './binaryCodes.ts';
import { DenseWeight } from './dense.ts';
import { FactorsWeight } from './factors.ts';
import { FactorsCodedWeight, type Factor } from './factorsCoded.ts';
import { LevelsWeight } from './levels.ts';
import { ofForm, UPDATE } from './nested.ts';
import { parseSizes, sectionBytes, type PackedForm, type StoredWeight } from './packedWeight.ts';
import { SparseWeight } from './sparse.ts';
import { SparseCodedWeight } from './sparseCoded.ts';

/** A weight in any of the forms that this version reads and writes. */
export type PackedWeight = DenseWeight | PrunedWeight | BinaryCodesWeight | LevelsWeight | LowRankWeight;

/** A weight without its zeros. The numbers that remain are floats or a packed weight themselves; either way, `values` are the floats. */
export type PrunedWeight = SparseWeight | SparseCodedWeight;

/** True for a weight that is stored without its zeros. */
export function isPruned(weight: PackedWeight): weight is PrunedWeight {
  return weight.form === 'sparse' || weight.form === 'sparse-coded';
}

/** A weight of low rank, whose factors are floats or packed weights themselves; either way, `left` and `right` are the floats. */
export type LowRankWeight = FactorsWeight | FactorsCodedWeight;

/** True for a weight that is the product of two factors. */
export function isLowRank(weight: PackedWeight): weight is LowRankWeight {
  return weight.form === 'factors' || weight.form === 'factors-coded';
}

/** The factors of a weight of low rank, as weights of their own: [rows, rank] and [rank, outer * inner]. */
export function factorsOf(weight: LowRankWeight): { left: Factor; right: Factor } {
  if (weight.form === 'factors-coded') return { left: weight.codedLeft, right: weight.codedRight };
  const { left, right, rank, view } = weight;
  return {
    left: new DenseWeight([view.rows, rank], left),
    right: new DenseWeight([rank, view.outer * view.inner], right),
  };
}

/** Version of the layout. A new form needs no new version: a reader names the form that it does not know. */
const VERSION = '1';
/** Key of the version in the metadata of the file. */
const KEY = 'deeptwist';
/** Keys of the metadata that may say more of the model; all others are names of weights. */
const MODEL_KEYS = ['model', 'run', 'experiment', 'step'] as const;

/** True for a name that is a key of the metadata: a weight that has it, as one of an ONNX file may, is always stored dense. */
export function isStoredDense(name: string): boolean {
  return [KEY, ...MODEL_KEYS].includes(name);
}

/** What a file says of its model besides its weights, as texts. */
export type ModelMetadata = Readonly<Partial<Record<(typeof MODEL_KEYS)[number], string>>>;

/** True where the metadata of a safetensors file are those of a packed one. */
export function isPacked(metadata: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(metadata, KEY);
}

/** Writes a packed file into memory: {@link packedPieces}. */
export function encodePacked(weights: ReadonlyMap<string, PackedWeight>, metadata: ModelMetadata = {}): Uint8Array {
  return joinPieces(packedPieces(weights, metadata));
}

/** @param metadata of the model, for a file that holds all of it */
export function packedPieces(weights: ReadonlyMap<string, PackedWeight>, metadata: ModelMetadata = {}): FilePieces {
  const tensors = new Map<string, Safetensor>();
  const descriptions: [string, string][] = [];
  for (const [name, weight] of weights) {
    if (weight.form === 'dense' || isStoredDense(name)) {
      const data = weight.form === 'dense' ? weight.values : weight.rebuild();
      tensors.set(name, { dtype: 'F32', shape: weight.shape, data });
      continue;
    }
    const data = joined(weight);
    tensors.set(name, { dtype: 'U8', shape: [data.length], data });
    descriptions.push([name, describe(weight)]);
  }
  return safetensorPieces(tensors, { [KEY]: VERSION, ...metadata, ...Object.fromEntries(descriptions) });
}

/**
 * Reads a packed file. No memory is taken for dense weights: `rebuild()` of a weight does that, after a look at its shape.
 * @throws FormatError for a file that is damaged, no packed one, or of a layout or form that is not known
 */
export function decodePacked(file: Uint8Array): Map<string, PackedWeight> {
  const { tensors, metadata } = decodeSafetensors(file);
  return unpack(tensors, metadata);
}

/** {@link decodePacked} for a file that may be larger than an array can be. */
export function readPacked(file: ByteSource): Map<string, PackedWeight> {
  const { tensors, metadata } = openSafetensors(file);
  return unpack(tensors, metadata);
}

/** {@link decodePacked} for a file that is read as safetensors already. */
function unpack(
  tensors: ReadonlyMap<string, Safetensor>,
  metadata: Readonly<Record<string, string>>,
): Map<string, PackedWeight> {
  const reader = new PackedReader(metadata, (name) => tensors.get(name));
  return new Map([...tensors.keys()].map((name) => [name, reader.read(name)]));
}

/** Form and shape of a weight, as its description in the metadata has them. */
export type PackedDescription = Pick<StoredWeight, 'form' | 'shape'>;

/** Reads the weights of a packed file one by one, and only the tensors that they need. */
export class PackedReader {
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #tensorOf: (name: string) => Safetensor | undefined;
  readonly #lefts = new Map<string, Factor>();

  /**
   * @param tensorOf the tensor of a name, as the file stores it
   * @throws FormatError for metadata of no packed file, and of a layout that is not known
   */
  constructor(metadata: Readonly<Record<string, string>>, tensorOf: (name: string) => Safetensor | undefined) {
    if (!isPacked(metadata)) throw new FormatError(`it has no '${KEY}' in its metadata: it is no packed file`);
    if (metadata[KEY] !== VERSION)
      throw new FormatError(
        `its layout has the version '${metadata[KEY].slice(0, 20)}'; this version of DeepTwist reads ${VERSION}`,
        { remedy: UPDATE },
      );
    this.#metadata = metadata;
    this.#tensorOf = tensorOf;
  }

  /**
   * What the metadata say of a weight; undefined for one that is stored as it is.
   * @throws FormatError for a description that cannot be read
   */
  describe(name: string): PackedDescription | undefined {
    return this.#isPacked(name) ? named(name, () => parse(this.#metadata[name])) : undefined;
  }

  /** @throws FormatError that names the weight, where it is damaged or its form is not known */
  read(name: string): PackedWeight {
    return named(name, () => {
      const tensor = this.#tensorOf(name);
      if (tensor === undefined) throw new FormatError('there is no such tensor');
      const stored = this.#storedOf(name, tensor);
      if (stored) return readForm(stored, (other) => this.#leftOf(other));
      const { shape, data } = tensor;
      if (!(data instanceof Float32Array)) throw new FormatError('it has no form, and is no float32 tensor');
      return new DenseWeight(shape, data);
    });
  }

  #storedOf(name: string, tensor: Safetensor | undefined): StoredWeight | undefined {
    const bytes = tensor?.data;
    if (!(bytes instanceof Uint8Array) || !this.#isPacked(name)) return undefined;
    return { ...parse(this.#metadata[name]), bytes };
  }

  #isPacked(name: string): boolean {
    return Object.hasOwn(this.#metadata, name) && !isStoredDense(name);
  }

  #leftOf(name: string): Factor {
    const known = this.#lefts.get(name);
    if (known) return known;
    const stored = this.#storedOf(name, this.#tensorOf(name));
    const weight =
      stored && !stored.parameters.has('left') ? readForm(stored, (other) => this.#leftOf(other)) : undefined;
    if (!weight || !isLowRank(weight)) throw new FormatError(`'${name}' stores no left factor`);
    const { left } = factorsOf(weight);
    this.#lefts.set(name, left);
    return left;
  }
}

type ReadForm = (stored: StoredWeight, leftOf: (weight: string) => Factor) => PackedWeight;

/** A later form is a row here. */
const forms: Readonly<Record<string, ReadForm>> = {
  sparse: (stored) => SparseWeight.read(stored),
  'binary-codes': (stored) => BinaryCodesWeight.read(stored),
  levels: (stored) => LevelsWeight.read(stored),
  factors: (stored, leftOf) => FactorsWeight.read(stored, leftOf),
  'sparse-coded': (stored) => SparseCodedWeight.read(stored),
  'factors-coded': (stored, leftOf) => FactorsCodedWeight.read(stored, leftOf),
};

function readForm(stored: StoredWeight, leftOf: (weight: string) => Factor): PackedWeight {
  return ofForm(forms, stored.form)(stored, leftOf);
}

/** `FORM SHAPE KEY=VALUE…`: words with a space between them, numbers of a list with a comma, values percent-encoded. */
function describe({ form, shape, parameters }: PackedForm): string {
  const words = Object.entries(parameters).map(
    ([key, value]) => `${key}=${encodeURIComponent(value).replaceAll('%2C', ',')}`,
  );
  return [form, shape.join(), ...words].join(' ');
}

/** The inverse of {@link describe}. */
function parse(description: string): Omit<StoredWeight, 'bytes'> {
  const [form, shape, ...words] = description.split(' ');
  const parameters = words.map((word): [string, string] => {
    const [key] = word.split('=', 1);
    return [key, decoded(word.slice(key.length + 1))];
  });
  return { form, shape: parseSizes(shape, 'its shape'), parameters: new Map(parameters) };
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new FormatError('a value of its parameters is not percent-encoded');
  }
}

/** Names the weight in what is wrong with it. */
function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`its weight '${name}' cannot be read: ${error.message}`, { remedy: error.remedy });
  }
}

function joined(weight: PackedForm): Uint8Array {
  const bytes = new Uint8Array(sectionBytes(weight));
  let at = 0;
  for (const section of weight.sections) {
    bytes.set(section, at);
    at += section.length;
  }
  return bytes;
}

/** A tensor of a safetensors file; each look at the `data` of a packed one computes them. */
export type StoredTensor = Pick<Safetensor, 'shape' | 'data'>;

/**
 * Reads a safetensors file, packed or not. To look at the data of a tensor throws a FormatError where they fit into no memory.
 * @throws FormatError for a file that is damaged, or of a layout or form that is not known
 */
export function decodeTensors(file: Uint8Array): ReadonlyMap<string, StoredTensor> {
  return storedTensors(decodeSafetensors(file));
}

/** {@link decodeTensors} for a file that may be larger than an array can be. What is not packed is read when it is looked at. */
export function readTensors(file: ByteSource): ReadonlyMap<string, StoredTensor> {
  return storedTensors(openSafetensors(file));
}

function storedTensors({ tensors, metadata }: ReturnType<typeof decodeSafetensors>): ReadonlyMap<string, StoredTensor> {
  if (!isPacked(metadata)) return tensors;
  const lazy = (weight: PackedWeight): StoredTensor => ({
    shape: weight.shape,
    get data() {
      return weight.rebuild();
    },
  });
  return new Map([...unpack(tensors, metadata)].map(([name, weight]) => [name, lazy(weight)]));
}
