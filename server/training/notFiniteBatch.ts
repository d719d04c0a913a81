/** @file Finds what is no number in a batch: it looks like a training that diverges, and no learning rate mends it. */
import type { Batch, Dataset, Elements, TensorSpec } from '../data/dataset.ts';
import { firstNotFinite } from '../data/notFinite.ts';

/**
 * The first value of a batch that is not finite, in words: "inputs: sample 3 has Infinity at [4]".
 * @param before samples that came before those of the batch
 */
export function notFiniteIn(
  batch: Batch,
  { inputs, targets }: Pick<Dataset, 'inputs' | 'targets'>,
  before = 0,
): string | undefined {
  return firstOf('inputs', batch.inputs, inputs, before) ?? firstOf('targets', batch.targets, targets, before);
}

function firstOf(
  role: string,
  tensors: readonly Elements[],
  specs: readonly TensorSpec[],
  before: number,
): string | undefined {
  for (const [i, data] of tensors.entries()) {
    const found = firstNotFinite({ data, shape: specs[i].shape }, before);
    if (found !== undefined) return `${tensors.length === 1 ? role : `${role}[${i}]`}: ${found}`;
  }
  return undefined;
}
