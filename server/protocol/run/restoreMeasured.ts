/** @file Events as they were before JSON wrote their NaN as null. Apart from events.ts: a page does without its schemas. */
import type { RunEvent } from './events.ts';

/**
 * Puts NaN back where JSON had to write null, in place. For events that are known to be well formed: `eventSchema` does
 * the same, and checks, at a hundred times the cost.
 */
export function restoreMeasured<E extends RunEvent>(event: E): E {
  restore(event, ['loss', 'value', 'lossBefore', 'lossAfter']);
  if (event.type === 'metrics' && event.losses) restore(event.losses, Object.keys(event.losses));
  if (event.type === 'evaluation' && event.measures) restore(event.measures, Object.keys(event.measures));
  if (event.type === 'finished') restore(event.summary, ['test', 'testBeforeLastDistortion', 'validation', 'loss']);
  if (event.type === 'distortion' || event.type === 'observation')
    for (const weight of event.weights) restore(weight, ['relativeError']);
  return event;
}

function restore(object: object, keys: readonly string[]): void {
  const values = object as Record<string, unknown>;
  for (const key of keys) if (values[key] === null) values[key] = NaN;
}
