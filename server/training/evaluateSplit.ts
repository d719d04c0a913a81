/** @file Evaluates a model on a split of a data set. */
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Executor } from '../compiler/program.ts';
import type { Dataset, Split } from '../data/dataset.ts';
import { UserError } from '../protocol/userError.ts';
import { checkLabels } from './checkLabels.ts';
import { notFiniteIn } from './notFiniteBatch.ts';
import { PERPLEXITY, type ModelProgram } from './modelProgram.ts';

export interface SplitEvaluation {
  /** Mean over the samples, of a text over its words. */
  readonly loss: number;
  /** Name and mean of the first metric; the perplexity of a text, the loss for a model that has no metric. */
  readonly metric: string;
  readonly value: number;
  /** The first value of the samples that is not finite, where the loss is not for that. */
  readonly notFinite?: string | undefined;
}

/** Samples evaluated at once, where the model leaves that open. */
const BATCH_SIZE = 500;

/** Samples of a full batch of an evaluation. */
export function evaluationBatchSize(program: ModelProgram, split: Split): number {
  return program.batchSize ?? Math.min(BATCH_SIZE, split.samples ?? BATCH_SIZE);
}

/**
 * Evaluates every sample of the split; of a model for batches of one size, those of its full batches.
 * @throws UserError when there are none, or a label is out of range; what `signal` was aborted with
 */
export async function evaluateSplit(
  executor: Executor,
  program: ModelProgram,
  dataset: Pick<Dataset, 'inputs' | 'targets'>,
  split: Split,
  signal?: AbortSignal,
): Promise<SplitEvaluation> {
  executor.resetStates('evaluation');
  let samples = 0;
  let counted = 0;
  let loss = 0;
  let value = 0;
  let notFinite: string | undefined;
  for await (const batch of split.batches(evaluationBatchSize(program, split))) {
    if (program.batchSize !== undefined && batch.size !== program.batchSize) break;
    signal?.throwIfAborted();
    checkLabels(batch, program.classes);
    const result = await executor.evaluate(batch);
    if (!Number.isFinite(result.loss)) notFinite ??= notFiniteIn(batch, dataset, samples);
    samples += batch.size;
    // A mean is over all labels of the batch; padding added nothing to the sum.
    const labels = batch.counted === undefined ? batch.size : batch.targets[0].length;
    counted += batch.counted ?? batch.size;
    loss += result.loss * labels;
    value += (result.metrics[0] ?? result.loss) * labels;
    await turnOfEventLoop(); // The eager executor never waits, and a signal must be heard.
  }
  if (counted === 0) {
    throw new UserError('data: the split to evaluate on does not fill one batch.', {
      remedy: 'Give it more samples, or lower training.batchSize.',
    });
  }
  const { metric } = program;
  return {
    loss: loss / counted,
    metric,
    value: metric === PERPLEXITY ? Math.exp(loss / counted) : value / counted,
    ...(notFinite !== undefined && { notFinite }),
  };
}
