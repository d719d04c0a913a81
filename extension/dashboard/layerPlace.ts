/** @file Where an experiment file speaks of a weight. */
import { JsonText } from '../../server/protocol/experiment/jsonText.ts';
import type { Place } from '../../server/protocol/experiment/jsonText.ts';
import { closestKey } from '../../server/protocol/experiment/layerPattern.ts';

/** The key of `compression.layers` that chooses a weight. */
export interface LayerPlace extends Place {
  readonly key: string;
}

/** @param weight `layer/weight`, e.g. `fc1/kernel` */
export function layerPlace(text: string, weight: string): LayerPlace | undefined {
  const json = new JsonText(text);
  const keys = json.keysOf(['compression', 'layers']);
  const key = closestKey(keys, { name: weight, layer: weight.slice(0, weight.lastIndexOf('/')) });
  return key === undefined ? undefined : { key, ...json.placeOfKey(['compression', 'layers', key]) };
}
