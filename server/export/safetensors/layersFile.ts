/** @file A safetensors file whose metadata hold the layers of its model, packed or dense: what is in it besides weights, and opening it. */
import type * as tf from '@tensorflow/tfjs';
import type { ModelMetadata } from '../../formats/packed/packedFile.ts';
import { readLayersFile } from '../../models/layersFile.ts';
import { modelTopology } from '../../models/modelTopology.ts';
import { PYTORCH, tensorsOfModel } from '../../models/pytorchWeights.ts';
import type { ExportSource, OpenedModel, Samples } from '../format.ts';
import { PredictingModel } from '../predictingModel.ts';
import { storedModel } from '../../models/storedModel.ts';

/** What a file says of its model: its layers, and where it comes from. */
export function metadataOf({ prepared, origin }: ExportSource): ModelMetadata {
  const { run, experiment, step } = origin;
  return {
    model: JSON.stringify(modelTopology(prepared.program.model)),
    ...(run !== undefined && { run }),
    experiment,
    ...(step !== undefined && { step: String(step) }),
  };
}

/** @throws UserError where the file is damaged, or is not of a model that takes the samples */
export async function openLayersFile(path: string, { inputs }: Samples): Promise<OpenedModel> {
  return PredictingModel.ofFile(await loadModelFile(path), inputs, path);
}

/** @throws UserError where the file is damaged, or has no layers */
export async function loadModelFile(path: string): Promise<tf.LayersModel> {
  const { tensors, topology, names } = await readLayersFile(path);
  return storedModel(topology, (made) => (names === PYTORCH ? tensorsOfModel(made, tensors) : tensors), path);
}
