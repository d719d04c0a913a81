/** @file What a compression will leave of the weights of a model, told from their shapes alone: before anything was trained. */
import type { Method } from '../protocol/config.ts';
import type { LayerSize } from '../protocol/events.ts';
import { matrixViewOf, product, storedShape } from './matrixView.ts';
import type { ParametersOf } from './methods.ts';
import { projectionUnits } from './sharedProjection.ts';
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
 * The rows of the size table of some weights, in their order. Of a pruned weight it is the expected size, see
 * {@link expectedSparseSize}; what `custom` makes is known to the user's function alone, and is counted as dense.
 *
 * @param settingOf how a weight is compressed; undefined for one that is not
 */
export function predictSizes<W extends NamedWeight>(
  weights: readonly W[],
  settingOf: (weight: W) => LayerSetting | undefined,
): LayerSize[] {
  const shared = sharedSizes(weights, settingOf);
  return weights.map((weight) => {
    const setting = settingOf(weight);
    const size = shared.get(weight) ?? (setting && sizeAlone(weight, setting));
    return layerSize(weight.name, weight.shape, size ?? denseSize(product(weight.shape)));
  });
}

function sizeAlone(weight: NamedWeight, setting: LayerSetting): CompressedSize | undefined {
  switch (setting.method) {
    case 'prune':
      return expectedSparseSize(product(weight.shape), setting.parameters.rate);
    case 'quantize':
      return binaryCodeSize(viewOf(weight), setting.parameters.bits, setting.parameters.scales);
    case 'low-rank':
      return factoredSize(viewOf(weight), setting.parameters.rank);
    case 'custom':
      return undefined;
  }
}

/** Of weights that share a projection with others. */
function sharedSizes<W extends NamedWeight>(
  weights: readonly W[],
  settingOf: (weight: W) => LayerSetting | undefined,
): Map<W, CompressedSize> {
  const ranked = weights.flatMap((weight) => {
    const setting = settingOf(weight);
    return setting?.method === 'low-rank' && setting.parameters.sharedProjection
      ? [{ weight, parameters: setting.parameters }]
      : [];
  });
  const sizes = new Map<W, CompressedSize>();
  for (const unit of projectionUnits(ranked)) {
    if (unit.length === 1) continue;
    const shapes = unit.map(({ weight }) => storedShape(viewOf(weight)));
    const columns = shapes.map((shape) => shape.columns);
    sharedFactorSizes(shapes[0].rows, columns, unit[0].parameters.rank).forEach((size, i) => {
      sizes.set(unit[i].weight, size);
    });
  }
  return sizes;
}

function viewOf({ shape, weight, layerClass }: NamedWeight) {
  return matrixViewOf(shape, weight, layerClass);
}
