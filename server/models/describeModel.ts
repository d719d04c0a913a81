/** @file A loaded model in names and shapes, for processes that must not load it. */
import type { ModelReference } from '../protocol/experiment/schema.ts';
import {
  MODEL_DESCRIPTION_VERSION,
  outputActivations,
  type ModelDescription,
  type OutputActivation,
} from '../protocol/model/modelDescription.ts';
import { sha256Of } from '../formats/sha256.ts';
import type { LoadedModel } from './loadModel.ts';
import { inputNames, outputActivation, outputNames } from './modelOutputs.ts';
import { modelWeights, withoutValue } from './modelWeights.ts';

/**
 * @param reference as the experiment file has it
 * @param samples training samples in an epoch, where their number is known
 */
export async function describeModel(
  { model, files, loss, warnings }: LoadedModel,
  reference: ModelReference,
  samples: number | undefined,
): Promise<ModelDescription> {
  const outputs = outputNames(model);
  const inputs = inputNames(model);
  return {
    version: MODEL_DESCRIPTION_VERSION,
    model: typeof reference === 'string' ? reference : JSON.stringify(reference),
    files: await Promise.all(files.map(async (path) => ({ path, sha256: await sha256Of(path) }))),
    weights: modelWeights(model).map(withoutValue),
    ...(samples !== undefined && { samples }),
    inputs: model.inputs.map(({ shape, dtype }, index) => ({ name: inputs[index], shape: [...shape], dtype })),
    outputs: model.outputs.map(({ shape }, index) => ({
      name: outputs[index],
      shape: [...shape],
      activation: knownActivation(outputActivation(model, index)),
    })),
    hasLoss: loss !== undefined,
    ...(warnings && warnings.length > 0 && { warnings }),
  };
}

function knownActivation(activation: string | undefined): OutputActivation {
  return outputActivations.find((known) => known === activation) ?? 'other';
}
