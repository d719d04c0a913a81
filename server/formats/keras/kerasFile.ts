/**
 * @file Files of Keras: `.keras`, a zip archive of the layers (config.json) and the weights (model.weights.h5), `.h5` with both in one
 * HDF5 file, and files of weights alone (keras/src/saving/saving_lib.py, keras/src/legacy/saving/legacy_h5_format.py). Nothing of a file
 * is executed: the code of a Lambda layer is a text here.
 */
import { isRecord } from '../../protocol/record.ts';
import { partOf, sourceOf, type ByteSource } from '../byteSource.ts';
import { FormatError } from '../formatError.ts';
import { Hdf5File, type Hdf5Attribute } from '../hdf5.ts';
import { ZipArchive, type ZipEntry } from '../zip.ts';

export interface KerasFile {
  /** Name of the format for a reader. */
  readonly format: string;
  /** The model as Keras describes it, `{ class_name, config }`; undefined for a file of weights alone. */
  readonly model: Readonly<Record<string, unknown>> | undefined;
  /** What the model was compiled with: loss, metrics, optimizer. */
  readonly compiled: Readonly<Record<string, unknown>> | undefined;
  /** The version of Keras, where the file says it. */
  readonly version: string | undefined;
  readonly weights: Hdf5File;
  /**
   * How the weights are laid out: `paths` of Keras 3, `layers/dense_1/vars/0`; `names` of the layers and weights in attributes, before
   * that; `plain` in a file that is none of Keras.
   */
  readonly layout: 'paths' | 'names' | 'plain';
  /** The group of the layers, where the layout has names: `model_weights`, or the root. */
  readonly root: string;
  close(): void;
}

const CONFIG = 'config.json';
const METADATA = 'metadata.json';
const WEIGHTS = 'model.weights.h5';
/** A configuration of a thousand layers has a few megabytes. */
const MOST_JSON_BYTES = 100_000_000;
const SAVE_AGAIN = "Save it again, in Python: model.save('net.keras').";

/**
 * Reads what a file says of its model and its weights, and none of their numbers.
 * @param source the bytes of the file, which are read while it is open
 * @throws FormatError for another file, and one that is damaged or cut off
 */
export async function openKerasFile(source: ByteSource): Promise<KerasFile> {
  const head = source.read(0, Math.min(2, source.length));
  return head[0] === 0x50 && head[1] === 0x4b ? openArchive(source) : openHdf5(source);
}

async function openArchive(source: ByteSource): Promise<KerasFile> {
  const archive = new ZipArchive(source, '.keras archive');
  const entries = new Map(archive.entries.map((entry) => [entry.name, entry]));
  const find = (name: string): ZipEntry => {
    const entry = entries.get(name);
    if (entry) return entry;
    const isSharded = name === WEIGHTS && [...entries.keys()].some((other) => /^model_\d+\.weights\.h5$/.test(other));
    throw new FormatError(
      isSharded
        ? 'its weights are in several parts, which cannot be read'
        : `it is a zip archive without ${name}, which Keras writes`,
      { remedy: SAVE_AGAIN },
    );
  };
  const json = (name: string) => {
    const content = archive.read(find(name), () => MOST_JSON_BYTES);
    return parseTable(content, name);
  };
  const model = json(CONFIG);
  const metadata = entries.has(METADATA) ? json(METADATA) : {};
  const weights = await Hdf5File.open(contentOf(archive, find(WEIGHTS), source));
  return {
    format: 'Keras model',
    model,
    compiled: isRecord(model.compile_config) ? model.compile_config : undefined,
    version: textOf(metadata.keras_version),
    weights,
    layout: 'paths',
    root: '',
    close: () => weights.close(),
  };
}

async function openHdf5(source: ByteSource): Promise<KerasFile> {
  const weights = await Hdf5File.open(source);
  try {
    const attributes = weights.attributes('');
    const json = (name: string) => {
      const text = textOf(attributes.get(name));
      return text === undefined ? undefined : parseTable(new TextEncoder().encode(text), name);
    };
    const model = json('model_config');
    const root = model && weights.attributes('model_weights').size > 0 ? 'model_weights' : '';
    const hasNames = namesOf(weights.attributes(root), 'layer_names') !== undefined;
    const hasPaths = weights.datasets.some(({ path }) => /(^|\/)vars\/\d+$/.test(path));
    const layout = hasNames ? 'names' : hasPaths ? 'paths' : 'plain';
    return {
      format: model ? 'Keras model' : layout === 'plain' ? 'HDF5' : 'weights of Keras',
      model,
      compiled: json('training_config'),
      version: textOf(attributes.get('keras_version')) ?? textOf(weights.attributes(root).get('keras_version')),
      weights,
      layout,
      root,
      close: () => weights.close(),
    };
  } catch (error) {
    weights.close();
    throw error;
  }
}

/**
 * A list of names in attributes: one that does not fit 64 kB is in several, with numbers behind the name.
 * @returns undefined where there is none
 */
export function namesOf(attributes: ReadonlyMap<string, Hdf5Attribute>, name: string): string[] | undefined {
  const listed = (value: Hdf5Attribute | undefined) => (value === undefined ? [] : [value].flat().map(String));
  if (attributes.has(name)) return listed(attributes.get(name));
  if (!attributes.has(`${name}0`)) return undefined;
  const names: string[] = [];
  for (let part = 0; attributes.has(`${name}${part}`); part++) names.push(...listed(attributes.get(`${name}${part}`)));
  return names;
}

/** Keras stores the weights as they are; where another program compressed the archive, they are unpacked to the memory. */
function contentOf(archive: ZipArchive, entry: ZipEntry, source: ByteSource): ByteSource {
  const { begin, end, isDeflated } = archive.locate(entry);
  if (isDeflated) return sourceOf(archive.read(entry, hdf5Bytes));
  return partOf(source, begin, end);
}

/** The place in the superblock of HDF5 of the address of the end of the file, by its version (HDF5 File Format 3.0, II.A). */
const END_ADDRESS = [40, 44, 28, 28];

/** The bytes of a file of HDF5, as its beginning says. */
function hdf5Bytes(head: Uint8Array): number {
  const isHdf5 = new TextDecoder('latin1').decode(head.subarray(1, 4)) === 'HDF';
  const at = END_ADDRESS[head[8]] ?? 0;
  if (!isHdf5 || at === 0 || head.length < at + 8) throw new FormatError(`its ${WEIGHTS} is no HDF5 file`);
  return Number(new DataView(head.buffer, head.byteOffset).getBigUint64(at, true));
}

function parseTable(bytes: Uint8Array, name: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FormatError(`its ${name} is not valid JSON`, { remedy: SAVE_AGAIN });
  }
  if (!isRecord(json)) throw new FormatError(`its ${name} is not a table`, { remedy: SAVE_AGAIN });
  return json;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
