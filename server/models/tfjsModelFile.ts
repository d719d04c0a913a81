/** @file Models saved by TensorFlow.js or its converter: `model.json` with weight shards beside it. */
import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import * as z from 'zod';
import { FormatError } from '../formats/formatError.ts';
import { readUserFile } from '../modules/readUserFile.ts';
import { UserError } from '../protocol/userError.ts';
import { kerasTopology, weightNames } from './kerasTopology.ts';

const weightSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  dtype: z.enum(['float32', 'int32', 'bool']),
  quantization: z
    .object({
      dtype: z.enum(['uint8', 'uint16', 'float16']),
      scale: z.number().optional(),
      min: z.number().optional(),
    })
    .optional(),
  group: z.string().optional(),
});

const modelSchema = z.object({
  modelTopology: z.record(z.string(), z.unknown()).optional(),
  format: z.string().nullish(),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(weightSchema) })).nullish(),
});

type ModelJson = z.output<typeof modelSchema>;
type StoredWeight = z.output<typeof weightSchema>;

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
  const weights = groups.flatMap((group) => group.weights);
  const shards = await Promise.all(groups.flatMap(({ paths }) => paths).map((shard) => shardFile(path, shard)));
  const expected = weights.reduce((bytes, weight) => bytes + weightBytes(weight), 0);
  const found = shards.reduce((bytes, shard) => bytes + shard.size, 0);
  if (found !== expected)
    throw new UserError(`${path}: its weights need ${expected} bytes, but its weight files have ${found}.`, {
      remedy: REMEDY,
    });
  const files = shards.map((shard) => shard.file);
  const weightData = Buffer.concat(
    await Promise.all(files.map((file) => readUserFile(file, (bytes) => bytes, REMEDY))),
  );
  try {
    const modelTopology = kerasTopology(json.modelTopology);
    const artifacts: tf.io.ModelArtifacts = { modelTopology };
    const nameOf = weightNames(modelTopology);
    const weightSpecs = weights.map((weight) => ({ ...weight, name: nameOf(weight.name) }));
    if (groups.length > 0) Object.assign(artifacts, { weightSpecs, weightData: new Uint8Array(weightData).buffer });
    const model = await tf.loadLayersModel({ load: () => Promise.resolve(artifacts) });
    return { model, files: [path, ...files] };
  } catch (error) {
    if (error instanceof FormatError)
      throw new UserError(`${path} is not usable: ${error.message}.`, { remedy: REMEDY, cause: error });
    const [message] = (error as Error).message.split(/\n| This may be due to/);
    throw new UserError(`${path} could not be made into a model: ${message.replace(/\.$/, '')}.`, {
      remedy: remedyFor(message),
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
  const parsed = modelSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new FormatError(`${path.join('.')}: ${message}`);
}

/**
 * A shard is a file in the folder of its model: a model.json that came from elsewhere must not have others read, and copied to
 * the run folder. A cache of downloads may have links in place of both.
 * @throws UserError for any other
 */
async function shardFile(path: string, shard: string): Promise<{ file: string; size: number }> {
  const file = resolve(dirname(path), shard);
  const refuse = (reason: string, cause?: unknown) =>
    new UserError(`${path}: the weight file ${shard} ${reason}.`, { remedy: REMEDY, cause });
  if (isAbsolute(shard) || !isInside(file, dirname(path))) throw refuse('is outside of the folder of the model');
  try {
    const real = await realpath(file);
    const { size } = await stat(real).then((found) => (found.isFile() ? found : Promise.reject(refuse('is no file'))));
    const folders = [await realpath(dirname(path)), dirname(await realpath(path))];
    if (!folders.some((folder) => isInside(real, folder))) throw refuse('is a link out of the folder of the model');
    return { file, size };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw refuse(missing ? 'does not exist' : `cannot be read: ${(error as Error).message}`, error);
  }
}

function isInside(file: string, folder: string): boolean {
  const inside = relative(folder, file);
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

const quantizedBytes = { uint8: 1, uint16: 2, float16: 2 } as const;

function weightBytes({ shape, dtype, quantization }: StoredWeight): number {
  const bytes = quantization ? quantizedBytes[quantization.dtype] : dtype === 'bool' ? 1 : 4;
  return shape.reduce((product, size) => product * size, bytes);
}

function remedyFor(message: string): string {
  const unknown = /Unknown (\w+): (\w+)/.exec(message);
  if (unknown)
    return (
      `If ${unknown[2]} is a class of your own, register it in a module (tf.serialization.registerClass) whose createModel() ` +
      'loads this file. TensorFlow.js does not have every class of Keras: replace one that it lacks before you convert the model.'
    );
  return (
    'If the model is of Keras 3, save it with tf_keras (TF_USE_LEGACY_KERAS=1) before you convert it. Otherwise, save it again ' +
    'with model.save(…).'
  );
}
