/** @file The final model of a run: `model/weights.safetensors`, weights by name as they were right after the last distortion. */
import { join } from 'node:path';
import type { ParameterSet } from '../compiler/parameters.ts';
import { decodeSafetensors, encodeSafetensors, type Safetensor } from '../formats/safetensors.ts';
import { readUserFile } from '../modules/readUserFile.ts';
import { UserError } from '../protocol/userError.ts';
import { makeFolder, writeAtomically } from '../runs/disk.ts';
import type { Run } from '../runs/run.ts';

/** Path of the weights file. */
export function finalWeightsFile(run: Run): string {
  return join(run.modelFolder, 'weights.safetensors');
}

/** The weights, live: they change with the next step. */
export function weightTensors(parameters: ParameterSet): Map<string, Safetensor> {
  return new Map(parameters.list.map(({ name, shape, value }) => [name, { dtype: 'F32', shape, data: value }]));
}

/** @throws UserError when the disk is full */
export async function writeFinalModel(run: Run, parameters: ParameterSet): Promise<void> {
  await makeFolder(run.modelFolder); // A repository keeps no empty folders: it is gone in a clone.
  await writeAtomically(finalWeightsFile(run), encodeSafetensors(weightTensors(parameters), { run: run.id }));
}

/**
 * Copies the stored weights into `parameters`.
 * @throws UserError when the run has no final model, it is damaged, or it is not of this model
 */
export async function readFinalModel(run: Run, parameters: ParameterSet): Promise<void> {
  const file = finalWeightsFile(run);
  const remedy = `Make it again: deeptwist resume ${run.id}`;
  const tensors = await readUserFile(file, (bytes) => decodeSafetensors(bytes).tensors, remedy);
  restoreWeights(tensors, parameters, file);
}

/** @throws UserError when a weight is missing or has another shape */
export function restoreWeights(tensors: ReadonlyMap<string, Safetensor>, parameters: ParameterSet, file: string): void {
  for (const { name, shape, value } of parameters.list) {
    const stored = tensors.get(name);
    if (!(stored?.data instanceof Float32Array) || stored.shape.join() !== shape.join()) {
      throw new UserError(`${file} does not hold the weight ${name} [${shape.join(', ')}] of the model.`, {
        remedy: 'The model has changed since the run; restore the copy in the run folder, source/.',
      });
    }
    value.set(stored.data);
  }
}
