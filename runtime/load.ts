/** @file Loading a model: the bytes of a packed file, its topology, and its weights put where the kernels read them. */
import { FormatError } from '../server/formats/formatError.ts';
import { decodePacked } from '../server/formats/packed/packedFile.ts';
import { decodeSafetensors } from '../server/formats/safetensors.ts';
import { instantiateKernels } from './kernels.ts';
import { LayerConfig } from './layerConfig.ts';
import { LayerGraph } from './layers/composite.ts';
import { makeLayer } from './layers/index.ts';
import { LayerStore, type State } from './layers/layer.ts';
import { LinearMemory } from './linearMemory.ts';
import { loadError, LoadedModel } from './model.ts';
import { WeightStore } from './weightStore.ts';

/** Key of the topology in the metadata of the file. */
const TOPOLOGY = 'model';

export async function load(source: Uint8Array | ArrayBuffer | string | URL): Promise<LoadedModel> {
  const isAddress = typeof source === 'string' || source instanceof URL;
  const file = isAddress
    ? await download(source)
    : new Uint8Array(source instanceof ArrayBuffer ? source : source.slice());
  try {
    return await loadBytes(file);
  } catch (error) {
    throw loadError(error, isAddress ? String(source) : 'The model');
  }
}

async function download(address: string | URL): Promise<Uint8Array> {
  const response = await fetch(address).catch((error: unknown) => {
    throw new Error(
      `${String(address)} cannot be fetched. A file is loaded from its bytes, in Node.js by loadModel(await readFile(PATH)).`,
      { cause: error },
    );
  });
  if (!response.ok) throw new Error(`${String(address)} cannot be loaded: the server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

async function loadBytes(file: Uint8Array): Promise<LoadedModel> {
  const weights = decodePacked(file);
  const topology = readTopology(decodeSafetensors(file).metadata);
  const memory = new LinearMemory();
  const kernels = await instantiateKernels(memory.memory);
  const states = new Set<State>();
  const store = new LayerStore(new WeightStore(kernels, memory, weights), [], states);
  return new LoadedModel({ kernels, memory }, new LayerGraph(topology, store, makeLayer), states);
}

function readTopology(metadata: Readonly<Record<string, string>>): LayerConfig {
  if (!Object.hasOwn(metadata, TOPOLOGY))
    throw new FormatError('it holds weights and no topology', {
      remedy: 'Export the run with --format packed: the file in the run folder has no topology.',
    });
  let topology: unknown;
  try {
    topology = JSON.parse(metadata[TOPOLOGY]);
  } catch {
    throw new FormatError('its topology is not valid JSON');
  }
  return new LayerConfig(topology);
}
