/** @file The final model of a run: `model/weights.safetensors`, weights by name as they were right after the last distortion. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParameterSet } from '../compiler/parameters.ts';
import { decodeSafetensors, encodeSafetensors, type Safetensor } from '../formats/safetensors.ts';
import { UserError } from '../protocol/userError.ts';
import { writeAtomically } from '../runs/disk.ts';
import type { Run } from '../runs/run.ts';

/** Path of the weights file. */
export function finalWeightsFile(run: Run): string {
  return join(run.modelFolder, 'weights.safetensors');
}

export function weightTensors(parameters: ParameterSet): Map<string, Safetensor> {
  return new Map(parameters.list.map(({ name, shape, value }) => [name, { dtype: 'F32', shape, data: value }]));
}

/** @throws UserError when the disk is full */
export async function writeFinalModel(run: Run, parameters: ParameterSet): Promise<void> {
  await writeAtomically(finalWeightsFile(run), encodeSafetensors(weightTensors(parameters), { run: run.id }));
}

/**
 * Copies the stored weights into `parameters`.
 * @throws UserError when the run has no final model or it is not of this model
 */
export async function readFinalModel(run: Run, parameters: ParameterSet): Promise<void> {
  const file = finalWeightsFile(run);
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new UserError(`${file}: the run has no final model.`, {
      remedy: `Finish it: deeptwist resume ${run.id}`,
      cause,
    });
  });
  restoreWeights(decodeSafetensors(bytes).tensors, parameters, file);
}

/** @throws UserError when a weight is missing or has another size */
export function restoreWeights(tensors: ReadonlyMap<string, Safetensor>, parameters: ParameterSet, file: string): void {
  for (const { name, value } of parameters.list) {
    const data = tensors.get(name)?.data;
    if (!(data instanceof Float32Array) || data.length !== value.length) {
      throw new UserError(`${file} does not hold the weight ${name} of the model.`, {
        remedy: 'The model has changed since the run; restore the copy in the run folder, source/.',
      });
    }
    value.set(data);
  }
}
