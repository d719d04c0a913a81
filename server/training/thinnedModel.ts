/** @file A model that is made again from what a thinning has left of its layers. */
import type { LoadedModel } from '../models/loadModel.ts';
import { modelOfTopology, parsedTopology } from '../models/storedModel.ts';
import type { SavedModel } from '../models/thinning/savedLayers.ts';

/** Name of the model in messages. */
export const SMALLER_MODEL = 'The thinned model';

/**
 * The model as a thinning has left it, in the place of the one that was loaded, which is disposed of. Its weights are any.
 * @param topology of the smaller model
 */
export async function thinnedModel(loaded: LoadedModel, topology: SavedModel): Promise<LoadedModel> {
  const model = await modelOfTopology(parsedTopology(topology), SMALLER_MODEL);
  loaded.model.dispose();
  return { ...loaded, model };
}
