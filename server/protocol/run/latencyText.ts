/** @file What was measured of the speed of files, compared and in words. */
import type { Latency, MeasuredModel } from './latency.ts';

/** How many times faster than the first a model runs, with one input where both take that, else with a batch; undefined for the first. */
export function speedup({ models: [first] }: Latency, model: MeasuredModel): number | undefined {
  if (model === first) return undefined;
  if (first.single && model.single) return first.single.median / model.single.median;
  if (first.batch && model.batch?.samples === first.batch.samples) return first.batch.median / model.batch.median;
  return undefined;
}

/** Milliseconds in three digits: `0.0521 ms`, `12.3 ms`, `1450 ms`. */
export function formatMilliseconds(milliseconds: number): string {
  return `${milliseconds >= 999.5 ? Math.round(milliseconds) : milliseconds.toPrecision(3)} ms`;
}
