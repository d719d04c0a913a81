/** @file Evaluates a model on a split of a data set. */
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Executor, StepBatch } from '../compiler/program.ts';
import type { Batch, Dataset, Elements, Split } from '../data/dataset.ts';
import { elementCount } from '../protocol/shape.ts';
import { UserError } from '../protocol/userError.ts';
import { checkLabels } from './checkLabels.ts';
import { notFiniteIn } from './notFiniteBatch.ts';
import { PERPLEXITY, type ModelProgram } from './modelProgram.ts';

export interface SplitEvaluation {
  /** Mean over the samples, of a text over its words. */
  readonly loss: number;
  /** Name and mean of the metric that is told: the perplexity of a text, the loss for a model that has no metric or several outputs. */
  readonly metric: string;
  readonly value: number;
  /** Means of all metrics by name, where there are several: among them the loss of each output. */
  readonly measures?: Readonly<Record<string, number>> | undefined;
  /** The first value of the samples that is not finite, where the loss is not for that. */
  readonly notFinite?: string | undefined;
}

/** Most samples evaluated at once, where the model leaves that open. */
const BATCH_SIZE = 500;
/** Most numbers that a model puts out at once, where it leaves the batch open: logits of many words take much memory. */
const MOST_OUTPUTS = 2 ** 26;

/** Samples of a full batch of an evaluation. */
export function evaluationBatchSize(
  { batchSize, model }: Pick<ModelProgram, 'batchSize' | 'model'>,
  split: Split,
): number {
  const outputs = model.outputs.reduce(
    (sum, { shape }) => sum + elementCount(shape.slice(1).map((size) => size ?? 1)),
    0,
  );
  const most = Math.min(BATCH_SIZE, Math.max(1, Math.floor(MOST_OUTPUTS / outputs)));
  return batchSize ?? Math.min(most, split.samples ?? most);
}

/**
 * Evaluates every sample of the split once. For a model that takes batches of one size, a smaller one is filled up.
 * @throws UserError when there are none, or a label is out of range
 */
export async function evaluateSplit(
  executor: Pick<Executor, 'evaluate' | 'resetStates'>,
  program: Pick<ModelProgram, 'batchSize' | 'model' | 'classes' | 'metric' | 'metrics'>,
  dataset: Pick<Dataset, 'inputs' | 'targets'>,
  split: Split,
): Promise<SplitEvaluation> {
  executor.resetStates('evaluation');
  let samples = 0;
  let counted = 0;
  let loss = 0;
  const { metric, metrics } = program;
  const sums = metrics.map(() => 0);
  let notFinite: string | undefined;
  for await (const batch of split.batches(evaluationBatchSize(program, split))) {
    checkLabels(batch, program.classes);
    const result = await executor.evaluate(filledUp(batch, program.batchSize));
    if (!Number.isFinite(result.loss)) notFinite ??= notFiniteIn(batch, dataset, samples);
    samples += batch.size;
    // A mean is over all labels of the batch; padding added nothing to the sum.
    const labels = batch.counted === undefined ? batch.size : batch.targets[0].length;
    counted += batch.counted ?? batch.size;
    loss += result.loss * labels;
    result.metrics.forEach((mean, i) => (sums[i] += mean * labels));
    await turnOfEventLoop(); // The eager executor never waits, and a signal must be heard.
  }
  if (counted === 0) {
    throw new UserError('data: the split to evaluate on has no samples.', { remedy: 'Give it some.' });
  }
  const means = new Map(metrics.map((name, i) => [name, sums[i] / counted]));
  const mean = loss / counted;
  return {
    loss: mean,
    metric,
    value: metric === PERPLEXITY ? Math.exp(mean) : (means.get(metric) ?? mean),
    ...(metrics.length > 1 && { measures: Object.fromEntries(means) }),
    ...(notFinite !== undefined && { notFinite }),
  };
}

/** A batch of the size that the model takes, filled up with its first sample; the batch itself where it has that size. */
function filledUp(batch: Batch, size = batch.size): StepBatch {
  if (batch.size === size) return batch;
  const inputs = batch.inputs.map((values) => {
    const length = values.length / batch.size;
    const filled = new (values.constructor as new (length: number) => Elements)(length * size);
    filled.set(values);
    for (let sample = batch.size; sample < size; sample++) filled.copyWithin(sample * length, 0, length);
    return filled;
  });
  return { size, samples: batch.size, inputs, targets: batch.targets };
}
