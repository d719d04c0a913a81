/** @file The files of a model saved by TensorFlow.js or its converter: `model.json` with weight shards beside it. */
import type * as tf from '@tensorflow/tfjs';
import * as z from 'zod';
import { elementCount } from '../protocol/shape.ts';
import { FormatError } from '../formats/formatError.ts';
import { kerasTopology, weightNames } from '../formats/kerasTopology.ts';
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
import { fileBeside } from './fileBeside.ts';
import { readUserFile } from './readUserFile.ts';

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

const modelSchema = z.looseObject({
  modelTopology: z.record(z.string(), z.unknown()).optional(),
  format: z.string().nullish(),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(weightSchema) })).nullish(),
});

type ModelJson = z.output<typeof modelSchema>;

/** The same with weights of any element type, those of graph models that TensorFlow.js makes no layers of. */
const weightListSchema = modelSchema.extend({
  weightsManifest: z
    .array(z.object({ paths: z.array(z.string()), weights: z.array(weightSchema.extend({ dtype: z.string() })) }))
    .nullish(),
});
type StoredWeight = z.output<typeof weightSchema>;

export const SAVE_AGAIN = 'Save the model again with model.save(…), and keep its weight files beside model.json.';

/**
 * @param path absolute path of `model.json`
 * @returns what TensorFlow.js makes the model of, and all its files
 * @throws UserError when the file or a shard is missing or damaged
 */
export async function readModelArtifacts(path: string): Promise<{ artifacts: tf.io.ModelArtifacts; files: string[] }> {
  const { modelTopology, weightsManifest, ...rest } = await readUserFile(path, parse, SAVE_AGAIN);
  const groups = weightsManifest ?? [];
  const weights = groups.flatMap((group) => group.weights);
  const shards = await Promise.all(
    groups.flatMap(({ paths }) => paths).map((shard) => fileBeside(path, shard, SAVE_AGAIN)),
  );
  const expected = weights.reduce((bytes, weight) => bytes + weightBytes(weight), 0);
  const found = shards.reduce((bytes, shard) => bytes + shard.size, 0);
  if (found !== expected)
    throw new UserError(`${path}: its weights need ${expected} bytes, but its weight files have ${found}.`, {
      remedy: SAVE_AGAIN,
    });
  const files = shards.map((shard) => shard.file);
  const parts = await Promise.all(files.map((file) => readUserFile(file, (bytes) => bytes, SAVE_AGAIN)));
  const nameOf = weightNames(modelTopology ?? {});
  const artifacts = {
    ...rest,
    ...(modelTopology && { modelTopology }),
    ...(groups.length > 0 && {
      weightSpecs: weights.map((weight) => ({ ...weight, name: nameOf(weight.name) })),
      weightData: new Uint8Array(Buffer.concat(parts)).buffer,
    }),
  };
  return { artifacts: artifacts as tf.io.ModelArtifacts, files: [path, ...files] };
}

/** A graph model is for inference: a SavedModel whose operations are nodes. */
export function isGraphModel({
  format,
  modelTopology,
}: Pick<tf.io.ModelArtifacts, 'format' | 'modelTopology'>): boolean {
  return format === 'graph-model' || modelTopology === undefined || 'node' in modelTopology;
}

function parse(bytes: Uint8Array): ModelJson {
  const data = checked(modelSchema, parseJson(bytes));
  if (isGraphModel(data as tf.io.ModelArtifacts)) return data;
  return { ...data, modelTopology: kerasTopology(data.modelTopology) as Record<string, unknown> };
}

/**
 * What a `model.json` says of its weights, whatever the model is.
 * @throws FormatError for a text that is no `model.json`
 */
export function parseWeightList(bytes: Uint8Array): z.output<typeof weightListSchema> {
  return checked(weightListSchema, parseJson(bytes));
}

function parseJson(bytes: Uint8Array): object {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new FormatError(`it is not valid JSON (${messageOf(error)})`);
  }
  if (typeof json !== 'object' || json === null || !('modelTopology' in json || 'format' in json))
    throw new FormatError("it has no 'modelTopology'");
  return json;
}

function checked<T>(schema: z.ZodType<T>, json: object): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new FormatError(`${path.join('.')}: ${message}`);
}

const quantizedBytes = { uint8: 1, uint16: 2, float16: 2 } as const;

function weightBytes({ shape, dtype, quantization }: StoredWeight): number {
  const bytes = quantization ? quantizedBytes[quantization.dtype] : dtype === 'bool' ? 1 : 4;
  return bytes * elementCount(shape);
}
