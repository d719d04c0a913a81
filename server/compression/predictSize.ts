/** @file What a compression will leave of the weights of a model, told from their shapes alone: before anything was trained. */
import { elementCount } from '../protocol/shape.ts';
import type { Method } from '../protocol/experiment/schema.ts';
import type { LayerSize } from '../protocol/run/events.ts';
import { matrixViewOf } from './targets/matrixView.ts';
import type { ParametersOf } from './methods/index.ts';
import { projectionUnits } from './methods/lowRank/sharedProjection.ts';
import {
  binaryCodeSize,
  denseSize,
  expectedSparseSize,
  factoredSizes,
  layerSize,
  type CompressedSize,
} from './size.ts';
import type { NamedWeight } from './targets/targets.ts';

/** How a layer of an experiment is compressed. */
export type LayerSetting = { [M in Method]: { readonly method: M; readonly parameters: ParametersOf<M> } }[Method];

/**
 * The rows of the size table of a model, in its order. Of a pruned weight it is the expected size, see
 * {@link expectedSparseSize}; of one that a user's function compresses the dense size, for only the function knows.
 * @param settingOf how a weight is compressed; undefined for one that is not
 */
export function predictSizes<W extends NamedWeight>(
  weights: readonly W[],
  settingOf: (weight: W) => LayerSetting | undefined,
): LayerSize[] {
  const factored = lowRankSizes(weights, settingOf);
  return weights.map((weight) => {
    const setting = settingOf(weight);
    const size = factored.get(weight) ?? (setting && sizeAlone(weight, setting));
    return layerSize(weight.name, weight.shape, size ?? denseSize(elementCount(weight.shape)));
  });
}

/** Of the weights of low rank, which may share a projection. */
function lowRankSizes<W extends NamedWeight>(
  weights: readonly W[],
  settingOf: (weight: W) => LayerSetting | undefined,
): Map<W, CompressedSize> {
  const ranked = weights.flatMap((weight) => {
    const setting = settingOf(weight);
    return setting?.method === 'low-rank' ? [{ weight, pattern: weight.name, parameters: setting.parameters }] : [];
  });
  return new Map(
    projectionUnits(ranked).flatMap((unit) => {
      const views = unit.map(({ weight }) => viewOf(weight));
      const sizes = factoredSizes(views, unit[0].parameters.rank);
      return unit.map(({ weight }, i) => [weight, sizes[i]] as const);
    }),
  );
}

function sizeAlone(weight: NamedWeight, setting: LayerSetting): CompressedSize | undefined {
  switch (setting.method) {
    case 'prune':
      return expectedSparseSize(elementCount(weight.shape), setting.parameters.rate);
    case 'quantize':
      return binaryCodeSize(viewOf(weight), setting.parameters.bits, setting.parameters.scales);
    case 'low-rank':
    case 'custom':
      return undefined;
  }
}

function viewOf({ shape, weight, layerClass }: NamedWeight) {
  return matrixViewOf(shape, weight, layerClass);
}
