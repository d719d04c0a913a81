/** @file The loss of a first experiment, by what a model's outputs and the targets of the data are. */
import type { DescribedOutput } from '../model/modelDescription.ts';
import type { LossId } from './lossFacts.ts';

/** A loss, or of several outputs one for each, by their names. */
export type FirstLosses = LossId | Readonly<Record<string, LossId>>;

/** What a target of the data is: the number of a class, a probability for each class, or numbers. */
export type TargetKind = 'labels' | 'one-hot' | 'numbers';

/** Types of data whose targets are numbers of classes, or words, which are numbered, too. */
const LABELLED = new Set(['mnist', 'images', 'text']);

/**
 * What the targets of `data` are, as far as its settings tell.
 * @param data as the file has it; it may be wrong
 * @returns undefined where only the data themselves tell
 */
export function targetKindOf(data: { readonly type?: unknown; readonly task?: unknown }): TargetKind | undefined {
  if (typeof data.type !== 'string') return undefined;
  if (LABELLED.has(data.type)) return 'labels';
  if (data.type === 'table') return data.task === 'regression' ? 'numbers' : 'labels';
  return undefined;
}

/**
 * What fits the outputs of a model, as `training.loss` has it. What the targets of several outputs are is not known.
 * @param outputs undefined where they are not known
 */
export function firstLosses(outputs: readonly DescribedOutput[] | undefined, targets?: TargetKind): FirstLosses {
  if (outputs === undefined || outputs.length < 2) return firstLoss(outputs?.at(0), targets);
  return Object.fromEntries(outputs.map((output) => [output.name, firstLoss(output)]));
}

/**
 * The loss that fits; the metric follows from it.
 * @param output undefined where it is not known: outputs are then taken for logits, as exporters write them
 * @param targets undefined where they are not known: labels are then the most usual, but of a single linear output numbers
 */
export function firstLoss(
  output: Pick<DescribedOutput, 'shape' | 'activation'> | undefined,
  targets?: TargetKind,
): LossId {
  if (targets === 'numbers') return 'mean-squared-error';
  const { activation = 'other' } = output ?? {};
  const units = output && output.shape.length > 1 ? output.shape.at(-1) : undefined;
  // Each of its outputs is a yes or a no, and so is a label of the one that there is.
  if (activation === 'sigmoid' && (units === 1 || targets === 'one-hot')) return 'binary-crossentropy';
  if (units === 1)
    return targets === 'labels' && activation === 'other' ? 'binary-crossentropy-from-logits' : 'mean-squared-error';
  if (targets === 'one-hot') return 'categorical-crossentropy';
  return activation === 'other' ? 'sparse-categorical-crossentropy-from-logits' : 'sparse-categorical-crossentropy';
}
