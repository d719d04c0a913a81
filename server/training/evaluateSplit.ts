/** @file Evaluates a model on a split of a data set. */
import type { Executor } from '../compiler/program.ts';
import type { Split } from '../data/dataset.ts';
import { UserError } from '../protocol/userError.ts';
import { checkLabels } from './checkLabels.ts';
import type { ModelProgram } from './modelProgram.ts';

export interface SplitEvaluation {
  /** Mean over the samples. */
  readonly loss: number;
  /** Name and mean of the first metric; the loss for a model that has no metric. */
  readonly metric: string;
  readonly value: number;
}

/** Samples evaluated at once; a stateful model needs the batch size that it was built with. */
const BATCH_SIZE = 500;

/** @throws UserError when the split has no samples or a label is out of range */
export async function evaluateSplit(
  executor: Executor,
  program: ModelProgram,
  split: Split,
  trainingBatchSize: number,
): Promise<SplitEvaluation> {
  const stateful = executor.states.size > 0;
  executor.resetStates('evaluation');
  let samples = 0;
  let loss = 0;
  let value = 0;
  for await (const batch of split.batches(stateful ? trainingBatchSize : BATCH_SIZE)) {
    if (stateful && batch.size !== trainingBatchSize) break;
    checkLabels(batch, program.classes);
    const result = await executor.evaluate(batch);
    samples += batch.size;
    loss += result.loss * batch.size;
    value += (result.metrics[0] ?? result.loss) * batch.size;
  }
  if (samples === 0) {
    throw new UserError('data: the split to evaluate on does not fill one batch.', {
      remedy: 'Give it more samples, or lower training.batchSize.',
    });
  }
  return { loss: loss / samples, metric: program.metrics[0] ?? 'loss', value: value / samples };
}
