/** @file TensorFlow.js as a format of exported models: a folder with model.json and the weights beside it, in shards. */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { nestedLayers } from '../../compiler/trace/statefulLayers.ts';
import { isLowRank, type PackedWeight } from '../../formats/packed/packedFile.ts';
import { isOwnLayer } from '../../models/keras/layers/registerLayer.ts';
import { modelTopology } from '../../models/modelTopology.ts';
import { modelWeights } from '../../models/modelWeights.ts';
import { isSmaller, kernelOf, withFactoredLayers } from '../../models/thinning/factoredLayers.ts';
import type { StoredModel } from '../../models/thinning/shrink.ts';
import { loadTfjsModel } from '../../models/tfjsModelFile.ts';
import { graphOf } from '../../models/onnx/graphLayer.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { mainFiles } from '../../protocol/model/exportFormats.ts';
import type {
  ExportFormat,
  ExportSettings,
  ExportSource,
  OpenedModel,
  Samples,
  WrittenModel,
  WrittenWeight,
} from '../format.ts';
import { portsOf } from '../ports.ts';
import { filePredictor } from '../predictingModel.ts';
import { smallWeights } from '../smallWeights.ts';
import { parsedTopology, storedModel } from '../../models/storedModel.ts';
import { TensorflowModel } from '../tensorflowModel.ts';
import { gridOf, storedNumbers, type Quantization } from './quantizedNumbers.ts';

const MODEL_FILE = mainFiles.tfjs;
/** Key of what DeepTwist says of a model, in its `userDefinedMetadata`. */
export const METADATA_KEY = 'deeptwist';

/** Bytes of a shard at most, as TensorFlow.js writes them: browsers keep files of that size in their cache. */
const SHARD_BYTES = 4 * 2 ** 20;

export const tfjs: ExportFormat = { write, open };

/** Path of model.json. @param path of the folder, or of the file itself */
export async function modelFileIn(path: string): Promise<string> {
  return (await stat(path)).isDirectory() ? join(path, MODEL_FILE) : path;
}

/** @param path of the folder, or of model.json */
async function open(path: string, { inputs }: Samples): Promise<OpenedModel> {
  const file = await modelFileIn(path);
  const { model } = await loadTfjsModel(file);
  try {
    return await TensorflowModel.open(model, filePredictor(model, inputs, file), dirname(file), { ownsModel: true });
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function write(source: ExportSource, settings: ExportSettings): Promise<WrittenModel> {
  const { program, parameters } = source.prepared;
  if (graphOf(program.model))
    throw new UserError('The model is a graph of ONNX, which has no layers of TensorFlow.js.', {
      remedy: 'Export it as ONNX (--format onnx), or its weights as packed or safetensors.',
      exitCode: ExitCode.usage,
    });
  checkLayers(program.model);
  const tensors = new Map(parameters.list.map(({ name, shape, value }) => [name, { shape, data: value }]));
  const small = smallWeights(source);
  const layers = factoredWhereSmaller({ topology: modelTopology(program.model), tensors }, small);
  const { entries, weights, bytes } = await writtenWeights(layers, small, settings);
  const count = Math.max(1, Math.ceil(bytes.length / SHARD_BYTES));
  const shards = Array.from({ length: count }, (_, i): [string, Uint8Array] => [
    `group1-shard${i + 1}of${count}.bin`,
    bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES),
  ]);
  const { run, experiment, step } = source.origin;
  const model = {
    format: 'layers-model',
    generatedBy: 'DeepTwist',
    convertedBy: null,
    modelTopology: layers.topology,
    userDefinedMetadata: {
      [METADATA_KEY]: {
        ...(run !== undefined && { run }),
        experiment,
        ...(step !== undefined && { step: String(step) }),
      },
    },
    weightsManifest: [{ paths: shards.map(([name]) => name), weights: entries }],
  };
  return {
    content: new Map([[MODEL_FILE, new TextEncoder().encode(JSON.stringify(model))], ...shards]),
    weights,
    ...portsOf(program),
  };
}

/** @throws UserError for a model with layers that other programs with TensorFlow.js do not know */
function checkLayers(model: tf.LayersModel): void {
  const own = nestedLayers(model.layers).filter((layer) => isOwnLayer(layer.getClassName()));
  if (own.length === 0) return;
  const names = own.map((layer) => `${layer.name} (${layer.getClassName()})`).join(', ');
  throw new UserError(`The model has layers of Keras that TensorFlow.js itself lacks: ${names}.`, {
    remedy: 'Export it as ONNX (--format onnx), or its weights as packed or safetensors.',
    exitCode: ExitCode.usage,
  });
}

interface LayersWithWeights extends StoredModel {
  /** Names of the weights that are a factor. */
  readonly factors: ReadonlySet<string>;
}

/** Layers whose weights are factors, which are less than the matrix, as two: every program computes with them then. */
function factoredWhereSmaller(model: StoredModel, weights: ReadonlyMap<string, PackedWeight>): LayersWithWeights {
  const { factored, ...written } = withFactoredLayers(model, (path, { shape }) => {
    const weight = weights.get(kernelOf(path));
    if (!weight || !isLowRank(weight) || !isSmaller(shape, weight.rank)) return undefined;
    const { outer, inner } = weight.view;
    return outer === 1 && inner === shape.at(-1) ? weight : undefined;
  });
  const factors = new Set([...factored].flatMap(([path, { left }]) => [kernelOf(path), kernelOf(left)]));
  return { ...written, factors };
}

interface ManifestEntry {
  /** As TensorFlow.js calls the weight. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32';
  readonly quantization?: Quantization;
}

/** The weights in the order of the layers. TensorFlow.js makes them once: it has names of its own for those within other layers. */
async function writtenWeights(
  { topology, tensors, factors }: LayersWithWeights,
  small: ReadonlyMap<string, PackedWeight>,
  { dtype = 'float32', round = false }: ExportSettings,
): Promise<{ entries: ManifestEntry[]; weights: WrittenWeight[]; bytes: Uint8Array }> {
  const model = await storedModel(parsedTopology(topology), () => tensors, 'The exported model');
  try {
    const names = new Map(model.weights.map((weight) => [weight.read(), weight.originalName]));
    const entries: ManifestEntry[] = [];
    const weights: WrittenWeight[] = [];
    const parts: Uint8Array[] = [];
    for (const { name, shape, variable } of modelWeights(model)) {
      const values = Float32Array.from(variable.dataSync());
      const { bytes, quantization } = storedNumbers(values, dtype, {
        round,
        axes: shape.length,
        known: gridOf(small.get(name)),
      });
      parts.push(bytes);
      entries.push({ name: names.get(variable)!, shape, dtype: 'float32', ...(quantization && { quantization }) });
      weights.push({ name, form: factors.has(name) ? 'factors' : 'dense', bytes: bytes.length });
    }
    return { entries, weights, bytes: new Uint8Array(Buffer.concat(parts)) };
  } finally {
    model.dispose();
  }
}
