/** @file What a training step minimizes: a sum of named parts, and what a run records of it. */
import * as tf from '@tensorflow/tfjs';
import type { LossWithParts, StepLoss } from '../../compiler/program.ts';

/** Terms of a loss, by the name of the part that they belong to; each with the weight that it has in the sum. */
export type LossTerms = Readonly<Record<string, readonly tf.Scalar[]>>;

/**
 * The sum of all terms, in their order. Parts without a term are left out; a loss of one part alone is that part.
 * @param shares that are told beside a loss of several parts
 */
export function composeLoss(terms: LossTerms, shares?: LossWithParts['shares']): tf.Scalar | LossWithParts {
  const present = Object.entries(terms).filter(([, { length }]) => length > 0);
  const total = sumOf(present.flatMap(([, own]) => own));
  if (present.length === 1) return total;
  const parts = Object.fromEntries(present.map(([name, own]) => [name, sumOf(own)]));
  return { total, parts, ...(shares && { shares }) };
}

export function sumOf(terms: readonly tf.Scalar[]): tf.Scalar {
  return terms.reduce((sum, term) => tf.add<tf.Scalar>(sum, term));
}

/** The loss and its parts by a number: the time steps that they are summed over. */
export function divideLoss({ loss, parts, shares }: StepLoss, divisor: number): StepLoss {
  return { loss: loss / divisor, parts: mapValues(parts, (part) => part / divisor), shares };
}

/** The mean over some steps of the loss, of its parts and of the shares. */
export class MeanLoss {
  #steps = 0;
  #loss = 0;
  readonly #parts: Record<string, number> = {};
  readonly #shares: Record<string, number> = {};

  get steps(): number {
    return this.#steps;
  }

  add({ loss, parts, shares }: StepLoss): void {
    this.#steps++;
    this.#loss += loss;
    addTo(this.#parts, parts);
    addTo(this.#shares, shares);
  }

  /** As a `metrics` event has it: `losses` are there for a loss of several parts, `shares` where there are any. */
  get mean(): { loss: number; losses?: Record<string, number>; shares?: Record<string, number> } {
    const losses = mapValues(this.#parts, (sum) => sum / this.#steps);
    const shares = mapValues(this.#shares, (sum) => sum / this.#steps);
    return {
      loss: this.#loss / this.#steps,
      ...(Object.keys(losses).length > 0 && { losses }),
      ...(Object.keys(shares).length > 0 && { shares }),
    };
  }
}

function addTo(sums: Record<string, number>, values: Readonly<Record<string, number>>): void {
  for (const name of Object.keys(values)) sums[name] = (sums[name] ?? 0) + values[name];
}

function mapValues(values: Readonly<Record<string, number>>, change: (value: number) => number) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}
