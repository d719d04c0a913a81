/** @file What a compression will leave of the weights of a model, told from their shapes alone: before anything was trained. */
import type { Method } from '../protocol/config.ts';
import type { LayerSize } from '../protocol/events.ts';
import { matrixViewOf, product } from './matrixView.ts';
import type { ParametersOf } from './methods.ts';
import {
  binaryCodeSize,
  denseSize,
  expectedSparseSize,
  factoredSize,
  layerSize,
  sharedFactorSizes,
  type CompressedSize,
} from './size.ts';
import type { NamedWeight } from './targets.ts';

/** How a layer of an experiment is compressed. */
export type LayerSetting = { [M in Method]: { readonly method: M; readonly parameters: ParametersOf<M> } }[Method];

/**
 * The size of a weight under a setting; undefined for `custom`, of which only the user's function knows. Of a pruned weight it
 * is the expected size, see {@link expectedSparseSize}.
 *
 * @param partner of a shared projection: the kernel of a recurrent kernel, the recurrent kernel of a kernel
 */
function predictSize(weight: NamedWeight, setting: LayerSetting, partner?: NamedWeight): CompressedSize | undefined {
  const view = viewOf(weight);
  switch (setting.method) {
    case 'prune':
      return expectedSparseSize(product(weight.shape), setting.parameters.rate);
    case 'quantize':
      return binaryCodeSize(view, setting.parameters.bits, setting.parameters.scales);
    case 'low-rank': {
      const { rank, sharedProjection } = setting.parameters;
      if (!sharedProjection || !partner) return factoredSize(view, rank);
      const isKernel = weight.weight === 'kernel';
      const other = viewOf(partner);
      const [inputs, units] = isKernel ? [view.columns, other.columns] : [other.columns, view.columns];
      return sharedFactorSizes(inputs, units, view.rows, rank)[isKernel ? 'kernel' : 'recurrent'];
    }
    case 'custom':
      return undefined;
  }
}

/**
 * The rows of the size table of a model, in its order.
 * @param settingOf how a weight is compressed; undefined for one that is not
 */
export function predictSizes<W extends NamedWeight>(
  weights: readonly W[],
  settingOf: (weight: W) => LayerSetting | undefined,
): LayerSize[] {
  return weights.map((weight) => {
    const setting = settingOf(weight);
    const size = setting && predictSize(weight, setting, partnerOf(weight, weights, settingOf));
    return layerSize(weight.name, weight.shape, size ?? denseSize(product(weight.shape)));
  });
}

/** The other weight of a recurrent layer, where both share a projection. */
function partnerOf<W extends NamedWeight>(
  weight: W,
  weights: readonly W[],
  settingOf: (weight: W) => LayerSetting | undefined,
): W | undefined {
  const wanted = { kernel: 'recurrent_kernel', recurrent_kernel: 'kernel' }[weight.weight];
  const rank = sharedRank(settingOf(weight));
  if (wanted === undefined || rank === undefined) return undefined;
  const other = weights.find((candidate) => candidate.layer === weight.layer && candidate.weight === wanted);
  return other && sharedRank(settingOf(other)) === rank ? other : undefined;
}

function sharedRank(setting: LayerSetting | undefined): number | undefined {
  return setting?.method === 'low-rank' && setting.parameters.sharedProjection ? setting.parameters.rank : undefined;
}

function viewOf({ shape, weight, layerClass }: NamedWeight) {
  return matrixViewOf(shape, weight, layerClass);
}
