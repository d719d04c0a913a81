/** @file What a compression will leave of the weights of a model, told from their shapes alone: before anything was trained. */
import type { LayerSize } from '../protocol/run/events.ts';
import { elementCount } from '../protocol/shape.ts';
import { predictedSizes, type LayerSetting } from './methods/index.ts';
import { denseSize, layerSize } from './size.ts';
import type { NamedWeight } from './targets/targets.ts';

export type { LayerSetting } from './methods/index.ts';

/**
 * The rows of the size table of a model, in its order. The size of a pruned weight is the expected one; that of a weight that a
 * user's function compresses is the dense one, for only the function knows.
 * @param settingOf how a weight is compressed; undefined for one that is not
 */
export function predictSizes<W extends NamedWeight>(
  weights: readonly W[],
  settingOf: (weight: W) => LayerSetting | undefined,
): LayerSize[] {
  const settings = new Map<NamedWeight, LayerSetting>();
  for (const weight of weights) {
    const setting = settingOf(weight);
    if (setting) settings.set(weight, setting);
  }
  const sizes = predictedSizes(settings);
  return weights.map((weight) => {
    const size = sizes.get(weight) ?? denseSize(elementCount(weight.shape));
    return layerSize(weight.name, weight.shape, size);
  });
}
