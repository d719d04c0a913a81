/** @file Makes a model of what a file holds: its topology, and its weights by name. */
import * as tf from '@tensorflow/tfjs';
import { FormatError } from '../formats/formatError.ts';
import { kerasTopology } from '../formats/kerasTopology.ts';
import type { StoredTensor } from '../formats/packed/packedFile.ts';
import { notUsable } from '../modules/readUserFile.ts';
import { forPrediction } from './modelTopology.ts';
import { modelWeights } from './modelWeights.ts';
import type { SavedModel } from './thinning/savedLayers.ts';
import { correctLayers } from './correctedLayers.ts';
import { modelOf } from './tfjsModelFile.ts';
import { UserError } from '../protocol/userError.ts';

export const EXPORT_AGAIN = 'Export the run again, or copy the file again.';

/**
 * @param text the topology as JSON
 * @throws FormatError for what is none
 */
export function parseTopology(text: string): object {
  try {
    return kerasTopology(forPrediction(JSON.parse(text)));
  } catch (error) {
    if (error instanceof SyntaxError) throw new FormatError('the topology of its model is no JSON');
    if (error instanceof RangeError) throw new FormatError('the topology of its model is nested too deep');
    throw error;
  }
}

/** {@link parseTopology} for layers that were saved from a model and never written. */
export function parsedTopology(saved: SavedModel): object {
  return parseTopology(JSON.stringify(saved));
}

/**
 * @param topology as {@link parseTopology} gives it
 * @param tensorsOf the tensors of the weights by name, each with the shape that the weight has
 * @param path of the file, for messages
 * @param remedies what to do where the weights are not those of the model, and where TensorFlow.js cannot make its layers
 * @throws UserError where TensorFlow.js cannot make the model, or a weight is missing or does not fit
 */
export async function storedModel(
  topology: object,
  tensorsOf: (model: tf.LayersModel) => ReadonlyMap<string, StoredTensor>,
  path: string,
  { weights: remedy = EXPORT_AGAIN, layers }: { readonly weights?: string; readonly layers?: string } = {},
): Promise<tf.LayersModel> {
  const model = await modelOfTopology(topology, path, layers);
  try {
    const tensors = tensorsOf(model);
    tf.tidy(() => {
      for (const { name, shape, variable } of modelWeights(model)) {
        const tensor = tensors.get(name);
        const data = tensor?.shape.join() === shape.join() ? tensor.data : undefined;
        if (!(data instanceof Float32Array)) throw lacking(path, name, shape, remedy);
        variable.assign(tf.tensor(data.slice(), shape, variable.dtype));
      }
    });
    return model;
  } catch (error) {
    model.dispose();
    throw error instanceof FormatError ? notUsable(path, error, undefined, remedy) : error;
  }
}

/**
 * Makes a model whose weights are any.
 * @param topology as {@link parseTopology} gives it
 * @param path of the file, for messages
 * @param remedy as for {@link modelOf}
 * @throws UserError where TensorFlow.js cannot make the model
 */
export async function modelOfTopology(topology: object, path: string, remedy?: string): Promise<tf.LayersModel> {
  await tf.setBackend('cpu');
  const model = await modelOf({ modelTopology: topology }, path, remedy);
  correctLayers(model);
  return model;
}

function lacking(path: string, name: string, shape: readonly number[], remedy: string): UserError {
  return new UserError(`${path} does not hold the weight ${name} [${shape.join(', ')}] of its model.`, { remedy });
}
