/** @file Trainings that have diverged without becoming NaN. Pure. */
import * as z from 'zod';
import { formatNumber } from '../formatQuantity.ts';

/** Mean loss of the first and of the last steps of a run in which it has risen. */
export const lossRiseSchema = z.object({ first: z.number(), last: z.number() });

export type LossRise = z.infer<typeof lossRiseSchema>;

/** Steps of which the mean is taken at either end, as a fraction of all. */
const PART = 0.05;
/** Fewer recorded steps say nothing. */
const LEAST = 40;

/** @param losses of the recorded steps, by {@link recordedLoss} */
export function riseOfLoss(losses: readonly number[]): LossRise | undefined {
  if (losses.length < LEAST) return undefined;
  const count = Math.ceil(PART * losses.length);
  const [first, last] = [mean(losses.slice(0, count)), mean(losses.slice(-count))];
  return last > first ? { first, last } : undefined;
}

/** For a finished run, in English: the page of a dashboard and the editor have their own words. */
export function lossRiseText({ first, last }: LossRise): string {
  const ends = `from ${formatNumber(first)} to ${formatNumber(last)}`;
  return `The loss rose ${ends}: the training may have diverged. Try a smaller learning rate.`;
}

/** The losses of a `metrics` event. */
interface RecordedStep {
  readonly loss: number;
  readonly losses?: { readonly data?: number | undefined } | undefined;
}

/**
 * The loss of a recorded step; that on the data alone where a run tells it: a regularization may grow while training goes
 * well.
 */
export function recordedLoss({ loss, losses }: RecordedStep): number {
  return losses?.data ?? loss;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0);
}
