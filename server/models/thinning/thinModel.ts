/** @file A model made smaller without a training: units that put out the same for every sample are removed, kernels of low rank become two layers. */
import type * as tf from '@tensorflow/tfjs';
import type { StoredTensor } from '../../formats/packed/packedFile.ts';
import { modelTopology } from '../modelTopology.ts';
import { followModel } from '../topology/followModel.ts';
import type { Topology } from '../topology/topology.ts';
import { factorLayers, type FactorSettings } from './factor.ts';
import type { FactoredLayer } from './factoredLayers.ts';
import { planRemoval, type KeptUnits } from './removal.ts';
import { removeUnits, type ShrunkModel } from './shrink.ts';

export interface ThinnedModel extends ShrunkModel {
  /** The units of the model before. */
  readonly before: Topology;
  /** Layers that became two, by path. */
  readonly factored: ReadonlyMap<string, FactoredLayer>;
  /** Units that look as if they could be removed. */
  readonly kept: readonly KeptUnits[];
}

/**
 * What the smaller model puts out is the same to the rounding of float32, apart from what the factors leave out.
 * @param tensors the weights of the model by name; its variables may hold others
 * @param factors undefined for no factors
 * @throws UserError for a model with a layer that cannot be saved
 */
export async function thinModel(
  model: tf.LayersModel,
  tensors: ReadonlyMap<string, StoredTensor>,
  factors: FactorSettings | undefined,
): Promise<ThinnedModel> {
  const before = followModel(model);
  const removal = planRemoval(before, tensors);
  const smaller = removeUnits({ topology: modelTopology(model), tensors }, before, removal);
  const {
    topology,
    tensors: left,
    factored,
  } = factors ? await factorLayers(smaller, factors) : { ...smaller, factored: new Map<string, FactoredLayer>() };
  return { topology, tensors: left, leftOf: smaller.leftOf, before, factored, kept: removal.kept };
}
