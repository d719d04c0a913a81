/** @file Where an experiment file speaks of a weight. */
import picomatch from 'picomatch';
import { JsonText } from '../../server/protocol/jsonText.ts';
import type { Place } from '../../server/protocol/jsonText.ts';

/** The key of `compression.layers` that chooses a weight. */
export interface LayerPlace extends Place {
  readonly key: string;
}

/**
 * The closest key wins, as when a run looks for its weights: the weight's own name, then its layer's, then a glob of either.
 * @param weight `layer/weight`, e.g. `fc1/kernel`
 */
export function layerPlace(text: string, weight: string): LayerPlace | undefined {
  const json = new JsonText(text);
  const layer = weight.slice(0, weight.lastIndexOf('/'));
  const keys = layerKeys(json.value());
  const key =
    keys.find((name) => name === weight) ??
    keys.find((name) => name === layer) ??
    keys.find((name) => {
      const matches = picomatch(name, { dot: true });
      return matches(layer) || matches(weight);
    });
  return key === undefined ? undefined : { key, ...json.placeOfKey(['compression', 'layers', key]) };
}

function layerKeys(experiment: unknown): string[] {
  const layers = property(property(experiment, 'compression'), 'layers');
  return typeof layers === 'object' && layers !== null ? Object.keys(layers) : [];
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
