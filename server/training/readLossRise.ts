/** @file The loss at both ends of a training. */
import { recordedLoss, riseOfLoss, type LossRise } from '../protocol/run/riseOfLoss.ts';
import { readBackwards } from '../runs/log/readBackwards.ts';
import type { Run } from '../runs/run.ts';

/**
 * From the log, which has all steps also of a run that was resumed.
 * @returns undefined where the loss has not risen, or the log cannot be read: no run fails for that
 */
export async function readLossRise(run: Run): Promise<LossRise | undefined> {
  const losses: number[] = [];
  try {
    await readBackwards(run, ['metrics'], (event) => losses.push(recordedLoss(event)) > 0);
  } catch {
    return undefined;
  }
  return riseOfLoss(Float64Array.from(losses.reverse()));
}
