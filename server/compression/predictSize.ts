/** @file What a compression will leave of the weights of a model, told from their shapes alone: before anything was trained. */
import type { LayerSize } from '../protocol/run/events.ts';
import { elementCount } from '../protocol/shape.ts';
import { predictedSizes, type LayerSetting } from './methods/index.ts';
import { denseSize, layerSize, type CompressedSize } from './size.ts';
import type { NamedWeight } from './targets/targets.ts';

export type { LayerSetting } from './methods/index.ts';

/**
 * The rows of the size table of a model, in its order. The size of a pruned weight is the expected one; that of a weight that a
 * user's function compresses is the dense one, for only the function knows.
 * @param settingsOf how a weight is compressed, by one method after the other; empty for one that is not
 */
export function predictSizes<W extends NamedWeight>(
  weights: readonly W[],
  settingsOf: (weight: W) => readonly LayerSetting[],
): LayerSize[] {
  const settings = new Map(weights.map((weight) => [weight, settingsOf(weight)]));
  const sizes = predicted(settings);
  return weights.map((weight) => {
    const dense = denseSize(elementCount(weight.shape));
    const size = sizes.get(weight);
    return layerSize(weight.name, weight.shape, size && size.bits < dense.bits ? size : dense);
  });
}

/** The sizes that the first method of each weight leaves, and the next of what that leaves, and so on. */
function predicted(settings: ReadonlyMap<NamedWeight, readonly LayerSetting[]>): Map<NamedWeight, CompressedSize> {
  const first = new Map<NamedWeight, LayerSetting>();
  for (const [weight, [setting]] of settings) if (setting as LayerSetting | undefined) first.set(weight, setting);
  const sizes = new Map<NamedWeight, CompressedSize>();
  for (const [weight, size] of predictedSizes(first)) {
    const [, ...further] = settings.get(weight)!;
    if (further.length === 0 || !size.left) {
      sizes.set(weight, size);
      continue;
    }
    const parts = [...predicted(new Map(size.left.tensors.map((tensor) => [tensor, further]))).values()];
    const total = (of: (part: CompressedSize) => number) => parts.reduce((sum, part) => sum + of(part), 0);
    sizes.set(weight, {
      weightsKept: total(({ weightsKept }) => weightsKept),
      bits: size.left.otherBits + total(({ bits }) => bits),
    });
  }
  return sizes;
}
