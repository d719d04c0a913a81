/** @file A safetensors file whose metadata hold the layers of its model, packed or dense: what `deeptwist export` writes. */
import type * as tf from '@tensorflow/tfjs';
import { FormatError } from '../formats/formatError.ts';
import { decodeTensors, type StoredTensor } from '../formats/packed/packedFile.ts';
import { decodeSafetensors } from '../formats/safetensors.ts';
import { readUserFile } from '../modules/readUserFile.ts';
import { UserError } from '../protocol/userError.ts';
import { EXPORT_AGAIN, parseTopology, storedModel } from './storedModel.ts';

interface LayersFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** As {@link storedModel} takes it. */
  readonly topology: object;
  /** The program whose names the tensors have; undefined where they are those of the layers. */
  readonly names: string | undefined;
}

/** @throws UserError where the file is damaged, or holds no layers */
export function readLayersFile(path: string): Promise<LayersFile> {
  return readUserFile(path, decode, EXPORT_AGAIN);
}

/** @throws UserError as {@link readLayersFile}, and where its tensors have other names than its layers */
export async function loadLayersFile(path: string): Promise<{ model: tf.LayersModel; files: string[] }> {
  const { tensors, topology, names } = await readLayersFile(path);
  if (names !== undefined)
    throw new UserError(`${path} holds its weights under the names of ${names}.`, {
      remedy: 'Export the run without --names.',
    });
  return { model: await storedModel(topology, () => tensors, path), files: [path] };
}

function decode(bytes: Uint8Array): LayersFile {
  const { metadata } = decodeSafetensors(bytes);
  if (!Object.hasOwn(metadata, 'model'))
    throw new FormatError('it holds weights without the layers of their model', {
      remedy: 'Export the run with `deeptwist export RUN --format packed`, which writes both.',
    });
  return { tensors: decodeTensors(bytes), topology: parseTopology(metadata.model), names: metadata.names };
}
