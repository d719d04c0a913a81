/**
 * @file What a model consists of, as the trainer found it when it loaded the model: the names and shapes that the language
 * server completes, checks and explains without ever running a user's code.
 */
import * as z from 'zod';

/** Raised when a reader of an older version would misunderstand the file. */
export const MODEL_DESCRIPTION_VERSION = 1;

/** No model has more, nor longer names; a file that says so is none of ours. */
const MOST_WEIGHTS = 20_000;
const MOST_FILES = 10_000;
/** Inputs, and outputs. */
const MOST_ENDS = 1000;
const name = z.string().max(1000);

const describedWeight = z.object({
  name: name.describe('`layer/weight`, e.g. `fc1/kernel`.'),
  layer: name,
  weight: name.describe('`kernel`, `recurrent_kernel`, `embeddings`, `bias`, …'),
  layerClass: name.optional().describe('tfjs class name of the layer, or the operator of ONNX.'),
  outputAxis: z.int().min(0).max(9).optional().describe('Axis of the output units, where the model says which it is.'),
  channelAxis: z.int().min(0).max(9).optional().describe('Axis of the input channels of a convolution of ONNX.'),
  units: z
    .object({ of: name, gates: z.int().min(1).max(4) })
    .optional()
    .describe('What has the output units in a graph of ONNX, and how many gates each of them has.'),
  kind: z
    .enum(['depthwise_kernel', 'embeddings'])
    .optional()
    .describe('What TensorFlow.js would call a weight of ONNX.'),
  isVector: z.boolean().optional().describe('True for a bias or a scale with several axes, where the model says so.'),
  inputLayer: name.optional().describe('The layer whose output the weight multiplies, where it is one.'),
  shape: z.array(z.int()).max(10),
  trainable: z.boolean(),
});

const sizes = z.array(z.int().nullable()).max(10);

/** What the numbers of an output are by the last operation that computes them. */
export const outputActivations = ['softmax', 'sigmoid', 'other'] as const;
export type OutputActivation = (typeof outputActivations)[number];

const describedInput = z.object({
  name,
  shape: sizes.describe('Sizes, that of the batch first; null for one that is open.'),
  dtype: z.string().max(20),
});

const describedOutput = z.object({
  name,
  shape: sizes.describe('Sizes, that of the batch first; null for one that is open.'),
  activation: z.enum(outputActivations),
});

export const modelDescriptionSchema = z.object({
  version: z.literal(MODEL_DESCRIPTION_VERSION),
  /** As the experiment file has it; a built-in model with its sizes as JSON text. */
  model: z.string(),
  /** The user's files that the model was made from, absolute; none for a built-in model. */
  files: z.array(z.object({ path: z.string(), sha256: z.string() })).max(MOST_FILES),
  /** In the order of the model. */
  weights: z.array(describedWeight).max(MOST_WEIGHTS),
  /** Training samples, where the data were there and their number is known: an epoch has `samples / (batchSize * accumulate)` steps. */
  samples: z.int().optional(),
  /** Absent in descriptions of earlier versions, as the two below. */
  inputs: z.array(describedInput).max(MOST_ENDS).optional(),
  outputs: z.array(describedOutput).max(MOST_ENDS).optional(),
  /** True where the model brings its own loss, so that an experiment need not name one. */
  hasLoss: z.boolean().optional(),
  /** What a user should know of the model. */
  warnings: z.array(z.string()).max(MOST_FILES).optional(),
  /** Sizes that were assumed for dimensions with names, where neither an experiment nor its data told them. */
  assumedSizes: z.record(z.string(), z.int()).optional(),
});

export type ModelDescription = z.output<typeof modelDescriptionSchema>;
export type DescribedWeight = z.output<typeof describedWeight>;
export type DescribedOutput = z.output<typeof describedOutput>;
