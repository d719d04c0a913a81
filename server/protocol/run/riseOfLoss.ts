/** @file Trainings that have diverged without becoming NaN. Pure. */
import type { RunSnapshot } from './runHistory.ts';

/** Steps of which the mean is taken at either end, as a fraction of all. */
const PART = 0.05;
/** Fewer recorded steps say nothing. */
const LEAST = 40;

/**
 * The mean loss of the first and of the last steps, where it has risen; the loss on the data alone where a run tells it: a
 * regularization may grow while training goes well.
 */
export function riseOfLoss({
  metrics,
  losses,
}: Pick<RunSnapshot, 'metrics' | 'losses'>): { readonly first: number; readonly last: number } | undefined {
  const data = losses?.columns.data;
  const loss = data && losses ? data.subarray(0, losses.length) : metrics.columns.loss.subarray(0, metrics.length);
  if (loss.length < LEAST) return undefined;
  const count = Math.ceil(PART * loss.length);
  const [first, last] = [mean(loss.subarray(0, count)), mean(loss.subarray(loss.length - count))];
  return last > first ? { first, last } : undefined;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
