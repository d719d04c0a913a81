/** @file The loss at both ends of a training. */
import type { Experiment } from '../protocol/experiment/schema.ts';
import { hasEnding, modelEndings } from '../protocol/model/modelEndings.ts';
import { recordedLoss, riseOfLoss, type LossRise } from '../protocol/run/riseOfLoss.ts';
import { readBackwards } from '../runs/log/readBackwards.ts';
import type { Run } from '../runs/run.ts';

/**
 * From the log, which has all steps also of a run that was resumed.
 * @returns undefined where the loss has not risen, where that says nothing, or where the log cannot be read: no run fails for that
 */
export async function readLossRise(run: Run, experiment: Experiment): Promise<LossRise | undefined> {
  if (beginsTrained(experiment)) return undefined;
  const losses: number[] = [];
  try {
    await readBackwards(run, ['metrics'], (event) => losses.push(recordedLoss(event)) > 0);
  } catch {
    return undefined;
  }
  return riseOfLoss(losses.reverse());
}

/** True where the weights were trained before: compressing them may cost more than the training gains, though nothing is wrong. */
function beginsTrained({ start, model }: Experiment): boolean {
  return start !== undefined || (typeof model === 'string' ? hasEnding(model, modelEndings) : 'onnx' in model);
}
