/** @file Where an experiment file has a key of `compression.layers`. */
import { JsonText } from '../../server/protocol/experiment/jsonText.ts';
import type { Place } from '../../server/protocol/experiment/jsonText.ts';

export interface LayerPlace extends Place {
  /** The key that stands there. */
  readonly key: string;
}

const LAYERS = ['compression', 'layers'];

/**
 * The place of a key, or that of `layers` itself: for a key that the file no longer has, and where no key is known. Undefined for a file
 * that compresses nothing.
 */
export function layerPlace(text: string, key?: string): LayerPlace | undefined {
  const json = new JsonText(text);
  const path = key !== undefined && json.keysOf(LAYERS).includes(key) ? [...LAYERS, key] : LAYERS;
  const [found] = path.slice(-1);
  return json.keysOf(path.slice(0, -1)).includes(found) ? { key: found, ...json.placeOfKey(path) } : undefined;
}
