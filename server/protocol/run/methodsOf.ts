/** @file By what the weights of a run are compressed. */
import { compressionsOf } from '../experiment/compressions.ts';
import { isMethod } from '../experiment/methods/index.ts';
import type { Method } from '../experiment/schema.ts';
import type { EventOf } from './events.ts';

/** The methods that compress a weight, in their order; none for a weight that the run leaves alone. */
export function methodsOf({ config, layers }: EventOf<'started'>, name: string): Method[] {
  const layer = layers.find((candidate) => candidate.name === name);
  if (!layer?.compressed) return [];
  // In the log of an earlier version, an experiment has one compression.
  return layer.methods?.filter(isMethod) ?? compressionsOf(config).map(({ method }) => method);
}
