/** @file Models saved by TensorFlow.js or its converter: `model.json` with weight shards beside it. */
import { dirname, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { FormatError } from '../formats/formatError.ts';
import { readUserFile } from '../modules/readUserFile.ts';
import { UserError } from '../protocol/userError.ts';

interface ModelJson {
  modelTopology?: object;
  format?: string;
  weightsManifest?: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
}

const REMEDY = 'Save the model again with model.save(…), and keep its weight files beside model.json.';

/**
 * @param path absolute path of `model.json`
 * @returns the model with its weights, and all its files; weights that the file leaves out are initialized
 * @throws UserError when the file or a shard is missing or damaged, or holds a graph model
 */
export async function loadTfjsModel(path: string): Promise<{ model: tf.LayersModel; files: string[] }> {
  const json = await readUserFile(path, parse, REMEDY);
  if (json.format === 'graph-model' || json.modelTopology === undefined || 'node' in json.modelTopology)
    throw new UserError(`${path} is a graph model: it is for inference and cannot be trained.`, {
      remedy: 'Convert or save it as a layers model (tensorflowjs_converter --output_format tfjs_layers_model).',
    });
  const groups = json.weightsManifest ?? [];
  const shards = groups.flatMap(({ paths }) => paths).map((shard) => resolve(dirname(path), shard));
  const parts = await Promise.all(shards.map((shard) => readUserFile(shard, (bytes) => bytes, REMEDY)));
  const weightSpecs = groups.flatMap(({ weights }) => weights);
  const weightData = Buffer.concat(parts);
  const expected = weightSpecs.reduce((bytes, spec) => bytes + weightBytes(spec), 0);
  if (weightData.length !== expected)
    throw new UserError(
      `${path}: its weights need ${expected} bytes, but its weight files have ${weightData.length}.`,
      {
        remedy: REMEDY,
      },
    );

  const artifacts: tf.io.ModelArtifacts = { modelTopology: json.modelTopology };
  if (groups.length > 0) Object.assign(artifacts, { weightSpecs, weightData: new Uint8Array(weightData).buffer });
  try {
    const model = await tf.loadLayersModel({ load: () => Promise.resolve(artifacts) });
    return { model, files: [path, ...shards] };
  } catch (error) {
    throw new UserError(`${path} could not be made into a model: ${(error as Error).message}`, {
      remedy: 'A layer of your own must be registered by a module: write a module whose createModel() loads this file.',
      cause: error,
    });
  }
}

function parse(bytes: Uint8Array): ModelJson {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new FormatError(`it is not valid JSON (${(error as Error).message})`);
  }
  if (typeof json !== 'object' || json === null || !('modelTopology' in json || 'format' in json))
    throw new FormatError("it has no 'modelTopology'");
  return json as ModelJson;
}

const quantizedBytes: Record<string, number> = { uint8: 1, uint16: 2, float16: 2 };

function weightBytes({ shape, dtype, quantization }: tf.io.WeightsManifestEntry): number {
  const bytes = quantization ? quantizedBytes[quantization.dtype] : dtype === 'bool' ? 1 : 4;
  return shape.reduce((product, size) => product * size, bytes);
}
