/** @file What an experiment asks for a weight in the end. Pure. */
import type { Compression } from '../../../server/protocol/experiment/schema.ts';
import type { CompressionSetting } from '../../../server/protocol/run/events.ts';
import { closestKey } from '../../../server/protocol/experiment/layerPattern.ts';

/** A key of `compression.layers`: a weight's name, its layer's, or a glob of either; the closest one counts. */
export function parametersFor(
  layers: Readonly<Record<string, unknown>>,
  weight: { readonly name: string; readonly layer: string },
): unknown {
  const key = closestKey(Object.keys(layers), weight);
  return key === undefined ? undefined : layers[key];
}

/** The rate, the bits or the rank that a compressed weight ends with. */
export function targetSetting(
  compression: Compression,
  weight: { readonly name: string; readonly layer: string },
): CompressionSetting {
  const parameters = parametersFor(compression.layers, weight) as Record<string, unknown> | undefined;
  const numbers = (['rate', 'bits', 'rank'] as const).map((name) => [name, parameters?.[name]] as const);
  return Object.fromEntries(numbers.flatMap(([name, value]) => (typeof value === 'number' ? [[name, value]] : [])));
}
