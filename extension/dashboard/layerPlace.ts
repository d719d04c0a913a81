/** @file The place of a key of a compression's `layers` in an experiment file. */
import { writtenCompressions } from '../../server/protocol/experiment/compressions.ts';
import { JsonText } from '../../server/protocol/experiment/jsonText.ts';
import type { Place } from '../../server/protocol/experiment/jsonText.ts';

export interface LayerPlace extends Place {
  /** The key that stands there. */
  readonly key: string;
}

/**
 * The place of a key, in the first compression that has it, or that of the first `layers` itself: for a key that the file no longer has,
 * and where no key is known. Undefined for a file that compresses nothing.
 */
export function layerPlace(text: string, key?: string): LayerPlace | undefined {
  const json = new JsonText(text);
  const all = writtenCompressions(json.value()).map(({ path }) => [...path, 'layers']);
  const having = key === undefined ? undefined : all.find((layers) => json.keysOf(layers).includes(key));
  const path = having && key !== undefined ? [...having, key] : all.find((layers) => json.has(layers));
  return path && { key: String(path.at(-1)), ...json.placeOfKey(path) };
}
