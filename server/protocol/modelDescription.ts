/**
 * @file What a model consists of, as the trainer found it when it loaded the model: the names and shapes that the language
 * server completes, checks and explains without ever running a user's code.
 */
import * as z from 'zod';

/** Raised when a reader of an older version would misunderstand the file. */
export const MODEL_DESCRIPTION_VERSION = 1;

const describedWeight = z.object({
  name: z.string().describe('`layer/weight`, e.g. `fc1/kernel`.'),
  layer: z.string(),
  weight: z.string().describe('`kernel`, `recurrent_kernel`, `embeddings`, `bias`, …'),
  layerClass: z.string().optional().describe('tfjs class name of the layer.'),
  inputLayer: z.string().optional().describe('The layer whose output the weight multiplies, where it is one.'),
  shape: z.array(z.int()),
  trainable: z.boolean(),
});

export const modelDescriptionSchema = z.object({
  version: z.literal(MODEL_DESCRIPTION_VERSION),
  /** As the experiment file has it; a built-in model with its sizes as JSON text. */
  model: z.string(),
  /** The user's files that the model was made from, absolute; none for a built-in model. */
  files: z.array(z.object({ path: z.string(), sha256: z.string() })),
  /** In the order of the model. */
  weights: z.array(describedWeight),
  /** Training samples, where the data were there and their number is known: an epoch has `samples / batchSize` steps. */
  samples: z.int().optional(),
});

export type ModelDescription = z.output<typeof modelDescriptionSchema>;
export type DescribedWeight = z.output<typeof describedWeight>;
