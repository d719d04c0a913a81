/** @file What is known of the named losses without computing them. */
import type { TrainingConfig } from './schema.ts';

export type LossId = Exclude<Extract<TrainingConfig['loss'], string>, 'auto'>;

/** What a loss takes; the first two are undefined for a loss that is not of classes, one of which a sample belongs to. */
interface LossFacts {
  /** `labels`: numbers of classes; `one-hot`: a probability for each class. */
  readonly targets?: 'labels' | 'one-hot';
  readonly outputs?: 'logits' | 'probabilities';
  /** What the outputs are where each of them is a yes or a no by itself. */
  readonly binary?: 'logits' | 'probabilities';
}

export const lossFacts: Readonly<Record<LossId, LossFacts>> = {
  'categorical-crossentropy': { targets: 'one-hot', outputs: 'probabilities' },
  'sparse-categorical-crossentropy': { targets: 'labels', outputs: 'probabilities' },
  'sparse-categorical-crossentropy-from-logits': { targets: 'labels', outputs: 'logits' },
  'binary-crossentropy': { binary: 'probabilities' },
  'binary-crossentropy-from-logits': { binary: 'logits' },
  'mean-squared-error': {},
  'mean-absolute-error': {},
  huber: {},
  'cosine-proximity': {},
};

const ids = Object.keys(lossFacts) as LossId[];

export type ClassLossId = Extract<LossId, `${string}categorical-crossentropy${string}`>;

export function isClassLoss(id: LossId | undefined): id is ClassLossId {
  return id !== undefined && lossFacts[id].outputs !== undefined;
}

/** Losses of classes, one of which a sample belongs to. */
export const classLosses = ids.filter(isClassLoss);

export function isLoss(value: unknown): value is LossId {
  return typeof value === 'string' && Object.hasOwn(lossFacts, value);
}
