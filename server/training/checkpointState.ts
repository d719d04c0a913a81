/**
 * @file What a checkpoint of a run holds: everything that the next step depends on. Random numbers and the order of the
 * data follow from (seed, step), so they need no state of their own.
 */
import { z } from 'zod';
import type { Safetensor } from '../formats/safetensors.ts';
import type { CompressionState } from '../compression/storedWeights.ts';
import { UserError } from '../protocol/userError.ts';
import { weightTensors, restoreWeights } from './finalModel.ts';
import type { Prepared } from './prepare.ts';

/** The part that is not tensors. */
export const progressSchema = z.object({
  iterations: z.int().min(0).describe('Steps of the optimizer.'),
  plateau: z.object({ best: z.number().nullable(), withoutImprovement: z.int(), decays: z.int() }),
  lastObservation: z.int().min(0).describe('Step of the last recorded distortion; 0 before the first.'),
  testBeforeLastDistortion: z.number().nullable(),
  seconds: z.object({
    training: z.number(),
    distortion: z.number(),
    observation: z.number(),
    evaluation: z.number(),
  }),
});

export type Progress = z.output<typeof progressSchema>;

type Group = 'optimizer' | 'state' | 'compression';

const prefix = (group: Group) => `${group}:`;

function tensorsOf(
  group: Group,
  arrays: Iterable<readonly [string, Float32Array | Uint8Array]>,
): [string, Safetensor][] {
  return Array.from(arrays, ([name, data]) => [
    prefix(group) + name,
    { dtype: data instanceof Float32Array ? 'F32' : 'U8', shape: [data.length], data },
  ]);
}

/** All tensors of a run's state, live: they change with the next step. */
export function checkpointTensors({ parameters, optimizer, executor, compressor }: Prepared): Map<string, Safetensor> {
  return new Map([
    ...weightTensors(parameters),
    ...tensorsOf('optimizer', optimizer.slots),
    ...tensorsOf('state', executor.states),
    ...tensorsOf('compression', Object.entries(compressor?.state ?? {})),
  ]);
}

/** @throws UserError when the checkpoint is not one of this experiment */
export function restoreTensors(tensors: ReadonlyMap<string, Safetensor>, prepared: Prepared, file: string): void {
  const { parameters, optimizer, executor, compressor } = prepared;
  restoreWeights(tensors, parameters, file);
  restoreInto(tensors, 'optimizer', optimizer.slots, file);
  restoreInto(tensors, 'state', executor.states, file);
  const compression: CompressionState = {};
  for (const [name, { data }] of tensors) {
    if (name.startsWith(prefix('compression'))) {
      compression[name.slice(prefix('compression').length)] = data as Float32Array | Uint8Array;
    }
  }
  compressor?.restore(compression);
}

function restoreInto(
  tensors: ReadonlyMap<string, Safetensor>,
  group: Group,
  arrays: ReadonlyMap<string, Float32Array>,
  file: string,
): void {
  for (const [name, array] of arrays) {
    const data = tensors.get(prefix(group) + name)?.data;
    if (!(data instanceof Float32Array) || data.length !== array.length) {
      throw new UserError(`${file} does not hold ${group} ${name}.`, {
        remedy: 'The experiment or its model has changed since the run began; start a new run.',
      });
    }
    array.set(data);
  }
}
