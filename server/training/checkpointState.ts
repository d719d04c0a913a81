/**
 * @file What a checkpoint of a run holds: everything that the next step depends on. Random numbers and the order of the
 * data follow from (seed, step), so they need no state of their own.
 */
import * as z from 'zod';
import type { Device } from '../compiler/device.ts';
import type { CompressionState } from '../compression/methods/unit.ts';
import { SEEDING, type Seeding } from '../formats/random.ts';
import type { Safetensor } from '../formats/safetensors.ts';
import type { SavedModel } from '../models/thinning/savedLayers.ts';
import { initialPlateauState } from '../optimizers/learningRate.ts';
import { UserError } from '../protocol/userError.ts';
import type { Checkpoint } from '../runs/checkpoints.ts';
import { restoreWeights, weightTensors } from './finalModel.ts';
import type { Prepared } from './prepare.ts';

const progressSchema = z.object({
  seeding: z
    .literal([1, 2])
    .default(1)
    .describe(
      'The way in which all random numbers are seeded. Runs that do not tell it began before it could be another.',
    ),
  device: z
    .enum(['cpu', 'webgpu'])
    .default('cpu')
    .describe(
      'What the last step was done on. Runs that do not tell it are from before it could be another than the processor.',
    ),
  plateau: z.object({ best: z.number().nullable(), withoutImprovement: z.int(), decays: z.int() }),
  bestLoss: z.number().optional().describe('Validation loss of the best model so far, where it is kept.'),
  afterDistortion: z.boolean().default(false).describe('True where the last step was followed by a distortion.'),
  lastObservation: z.int().min(0).describe('Step of the last recorded distortion; 0 before the first.'),
  observations: z
    .array(z.int().min(0))
    .default([])
    .describe('The same for each compression; checkpoints of earlier versions, which have one, do not tell.'),
  topology: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Layers of the model where units have been removed from it, as `modelTopology` gives them.'),
  seconds: z.object({
    training: z.number(),
    distortion: z.number(),
    observation: z.number(),
    evaluation: z.number(),
  }),
});

/** The part that is not tensors. */
export type Progress = z.output<typeof progressSchema>;

export const initialProgress: Progress = {
  seeding: SEEDING,
  device: 'cpu',
  plateau: initialPlateauState,
  afterDistortion: false,
  lastObservation: 0,
  observations: [],
  seconds: { training: 0, distortion: 0, observation: 0, evaluation: 0 },
};

/** Random numbers go on as they were drawn before the checkpoint. */
export function seedingOf(checkpoint: Checkpoint): Seeding {
  return progressOf(checkpoint).seeding;
}

/** What the steps before the checkpoint were done on. */
export function deviceOf(checkpoint: Checkpoint): Device {
  return progressOf(checkpoint).device;
}

/** Layers of the model that the checkpoint is of, where a thinning has made it smaller. */
export function topologyOf(checkpoint: Checkpoint): SavedModel | undefined {
  return progressOf(checkpoint).topology;
}

/** @throws UserError when another version of DeepTwist wrote it, or it is damaged */
function progressOf({ step, state }: Checkpoint): Progress {
  const { data, error } = progressSchema.safeParse(state);
  if (data !== undefined) return data;
  if (!error.issues.some(({ path: [key] }) => key === 'seeding'))
    throw new UserError(`The checkpoint of step ${step} is damaged: it does not tell how far the run was.`, {
      remedy: 'Delete the files of that step, and resume again: the run goes on from the checkpoint before it.',
      cause: error,
    });
  throw new UserError(`The checkpoint of step ${step} is not one that this version of DeepTwist reads.`, {
    remedy: 'Resume the run with the version that began it, or start a new run.',
    cause: error,
  });
}

/** Weights go by their names, the rest by `GROUP:NAME`. */
type Group = 'optimizer' | 'state' | 'compression' | 'best';
const COMPRESSION = 'compression:';

/** All tensors of a run's state, live: they change with the next step. */
export function checkpointTensors({
  parameters,
  optimizer,
  executor,
  compressor,
  best,
}: Prepared): Map<string, Safetensor> {
  return new Map([
    ...weightTensors(parameters),
    ...tensorsOf('optimizer', optimizer.slots),
    ...tensorsOf('state', executor.states),
    ...tensorsOf('compression', Object.entries(compressor?.state ?? {})),
    ...tensorsOf('best', best?.loss === undefined ? [] : best.weights),
  ]);
}

function tensorsOf(
  group: Group,
  arrays: Iterable<readonly [string, Float32Array | Uint8Array]>,
): [string, Safetensor][] {
  return Array.from(arrays, ([name, data]) => [
    `${group}:${name}`,
    { dtype: data instanceof Float32Array ? 'F32' : 'U8', shape: [data.length], data },
  ]);
}

/**
 * Brings a run to where the checkpoint was made.
 * @param folder of the checkpoint, to show in messages
 * @throws UserError when the checkpoint is not one of this experiment
 */
export function restoreCheckpoint(
  checkpoint: Checkpoint,
  { parameters, optimizer, executor, compressor, best }: Prepared,
  folder: string,
): Progress {
  const { step, tensors } = checkpoint;
  restoreWeights(tensors, parameters, folder);
  restoreInto(tensors, 'optimizer', optimizer.slots, folder);
  restoreInto(tensors, 'state', executor.states, folder);
  const compression: CompressionState = {};
  for (const [name, tensor] of tensors) {
    if (name.startsWith(COMPRESSION))
      compression[name.slice(COMPRESSION.length)] = tensor.data as Float32Array | Uint8Array;
  }
  compressor?.restore(compression);
  optimizer.iterations = step;
  const progress = progressOf(checkpoint);
  if (best !== undefined && progress.bestLoss !== undefined) {
    restoreInto(tensors, 'best', best.weights, folder);
    best.loss = progress.bestLoss;
  }
  return progress;
}

function restoreInto(
  tensors: ReadonlyMap<string, Safetensor>,
  group: Group,
  arrays: ReadonlyMap<string, Float32Array>,
  folder: string,
): void {
  for (const [name, array] of arrays) {
    const data = tensors.get(`${group}:${name}`)?.data;
    if (!(data instanceof Float32Array) || data.length !== array.length) {
      throw new UserError(`${folder}: the checkpoint does not hold ${group} ${name}.`, {
        remedy: 'The experiment or its model has changed since the run began; start a new run.',
      });
    }
    array.set(data);
  }
}
