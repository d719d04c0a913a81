/**
 * @file The final model of a run, weights by name as they were right after the last distortion: `model/weights.safetensors`, dense, and
 * `model/compressed.safetensors`, in the form that the compression left. Each has all weights. `model/topology.json` has the layers where
 * units were removed while the run trained.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParameterSet } from '../compiler/parameters.ts';
import type { Compressor } from '../compression/compressor.ts';
import type { ByteSource } from '../formats/byteSource.ts';
import { DenseWeight } from '../formats/packed/dense.ts';
import {
  isStoredDense,
  packedPieces,
  readPacked,
  readTensors,
  type PackedWeight,
  type StoredTensor,
} from '../formats/packed/packedFile.ts';
import { safetensorPieces, type Safetensor } from '../formats/safetensors.ts';
import { decodeText } from '../formats/text.ts';
import { parseTopology } from '../models/storedModel.ts';
import type { SavedModel } from '../models/thinning/savedLayers.ts';
import { readUserFile } from '../modules/readUserFile.ts';
import { UserFile } from '../modules/userFile.ts';
import type { TrainingConfig } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import { UserError } from '../protocol/userError.ts';
import { makeFolder, writeAtomically } from '../runs/disk.ts';
import type { Run } from '../runs/run.ts';

/** Path of the dense weights. */
function denseFile(run: Run): string {
  return join(run.modelFolder, 'weights.safetensors');
}

/** Path of the weights in their compressed form. */
export function compressedFile(run: Run): string {
  return join(run.modelFolder, 'compressed.safetensors');
}

/** Path of the file that the final model is read from: the dense weights where they were kept. */
export function finalWeightsFile(run: Run): string {
  return !existsSync(denseFile(run)) && existsSync(compressedFile(run)) ? compressedFile(run) : denseFile(run);
}

/** Path of the layers of a model that has lost units. */
function topologyFile(run: Run): string {
  return join(run.modelFolder, 'topology.json');
}

/**
 * {@link finalWeightsFile} for a model that is made by something else than the run.
 * @param setting that names the run
 * @throws SettingError where units were removed while it trained
 */
export function weightsFileFor(run: Run, setting: SettingPath): string {
  if (!existsSync(topologyFile(run))) return finalWeightsFile(run);
  throw new SettingError(
    setting,
    `the run ${run.id} removed units while it trained, and has the weights of a smaller model`,
    {
      remedy: `Take the smaller model: deeptwist export ${run.id} --format tfjs, and name its model.json as the model.`,
    },
  );
}

/** The weights of a model, as far as its file needs them. */
interface Weights {
  readonly list: readonly { readonly name: string; readonly shape: readonly number[]; readonly value: Float32Array }[];
}

/** The weights, live: they change with the next step. */
export function weightTensors(parameters: Weights): Map<string, Safetensor> {
  return new Map(parameters.list.map(({ name, shape, value }) => [name, { dtype: 'F32', shape, data: value }]));
}

/**
 * @param keep which files are written; a run without a compression has the dense one alone
 * @returns bytes of the compressed file, and what the user should know
 * @throws UserError when the disk is full
 */
export async function writeFinalModel(
  run: Run,
  { parameters, compressor, topology }: Final,
  keep: TrainingConfig['keep'],
): Promise<{ fileBytes?: number; warnings: string[] }> {
  await makeFolder(run.modelFolder); // A repository keeps no empty folders: it is gone in a clone.
  if (topology) await writeAtomically(topologyFile(run), `${JSON.stringify(topology, null, 2)}\n`);
  else await rm(topologyFile(run), { force: true });
  const dense = () => safetensorPieces(weightTensors(parameters), { run: run.id });
  if (!compressor) {
    await writeAtomically(denseFile(run), dense());
    return { warnings: [] };
  }
  const { weights, warnings } = packedWeights(parameters, compressor.packed());
  const packed = packedPieces(weights);
  await writeAtomically(compressedFile(run), packed);
  if (keep === 'both') await writeAtomically(denseFile(run), dense());
  return { fileBytes: packed.bytes, warnings };
}

/** What a run ends with. */
interface Final {
  readonly parameters: Weights;
  readonly compressor: Compressor | undefined;
  /** Layers of the model where units were removed while it trained. */
  readonly topology: SavedModel | undefined;
}

/** All weights for a packed file: dense where they have no compressed form, or are not what it says. */
export function packedWeights(parameters: Weights, compressed: ReadonlyMap<string, PackedWeight>) {
  const warnings: string[] = [];
  const weights = new Map<string, PackedWeight>();
  for (const { name, shape, value } of parameters.list) {
    const packed = compressed.get(name);
    const rebuilt = packed?.rebuild();
    if (packed && rebuilt && !isStoredDense(name) && isSame(rebuilt, value)) {
      // Equal numbers can have other bits: a zero its sign, and a subnormal number where the process counts it as zero.
      value.set(rebuilt);
      weights.set(name, packed);
      continue;
    }
    weights.set(name, new DenseWeight(shape, value));
    if (packed) {
      const why = isStoredDense(name)
        ? `The weight '${name}' has a name that the file needs for itself`
        : `${name} was changed after its last distortion`;
      warnings.push(`${why}: model/compressed.safetensors holds it dense, in more bytes than the summary says.`);
    }
  }
  return { weights, warnings };
}

/** True where all numbers are equal; a zero has no sign. */
function isSame(rebuilt: Float32Array, value: Float32Array): boolean {
  return rebuilt.length === value.length && rebuilt.every((number, i) => number === value[i]);
}

/**
 * Copies the stored weights into `parameters`.
 * @throws UserError when the run has no final model, it is damaged, or it is not of this model
 */
export async function readFinalModel(run: Run, parameters: ParameterSet): Promise<void> {
  const path = finalWeightsFile(run);
  await withFile(run, path, (file) => restoreWeights(readTensors(file), parameters, path));
}

/**
 * The layers of a final model, as `modelTopology` gives them.
 * @returns undefined for the model that the experiment names, of which no unit was removed
 * @throws UserError when the file is damaged
 */
export async function readTopology(run: Run): Promise<SavedModel | undefined> {
  const file = topologyFile(run);
  if (!existsSync(file)) return undefined;
  const parse = (bytes: Uint8Array) => ({ ...parseTopology(decodeText(bytes)) });
  return readUserFile(file, parse, `Make it again: deeptwist resume ${run.id}`);
}

/**
 * The weights of a final model in their compressed form, by name.
 * @returns undefined where the run kept none: it compressed nothing, or an earlier version trained it
 * @throws UserError when the file is damaged
 */
export async function readCompressedModel(run: Run): Promise<ReadonlyMap<string, PackedWeight> | undefined> {
  const file = compressedFile(run);
  return existsSync(file) ? withFile(run, file, readPacked) : undefined;
}

/** @throws UserError that names the file where it cannot be read, or `read` throws a FormatError */
async function withFile<T>(run: Run, path: string, read: (file: ByteSource) => T): Promise<T> {
  const file = await UserFile.open(path, `Make it again: deeptwist resume ${run.id}`);
  try {
    return file.decoded(() => read(file));
  } finally {
    file.close();
  }
}

/** @throws UserError when a weight is missing or has another shape */
export function restoreWeights(
  tensors: ReadonlyMap<string, StoredTensor>,
  parameters: ParameterSet,
  file: string,
): void {
  for (const { name, shape, value } of parameters.list) {
    const stored = tensors.get(name);
    const data = stored?.shape.join() === shape.join() ? stored.data : undefined;
    if (!(data instanceof Float32Array)) {
      throw new UserError(`${file} does not hold the weight ${name} [${shape.join(', ')}] of the model.`, {
        remedy: 'The model has changed since the run; restore the copy in the run folder, source/.',
      });
    }
    value.set(data);
  }
}
