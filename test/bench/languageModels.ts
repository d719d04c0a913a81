/** @file The LSTM language models of Zaremba et al. 2014 as the work that benchmarks measure. */
import { writeWords, type Batches } from './batches.ts';
import type { Answer } from './child.ts';
import type { OurStepOptions } from './contenders/openOurStep.ts';

export const LAYERS = 2;
export const VOCABULARY = 10_000;
const BATCH_SIZE = 20;
/** Different batches, taken in turn. */
const BATCHES = 20;

export interface Model {
  readonly units: number;
  readonly timeSteps: number;
  readonly initialRange: number;
  readonly clip: number;
  /** Between layers, with --dropout. */
  readonly dropout: number;
  /** Steps of a round. */
  readonly steps: number;
  /** Asked for: PyTorch's time over ours; our speed over the ceiling. */
  readonly targets: { readonly torch: number; readonly ceiling: number };
}

export const models: Readonly<Record<string, Model>> = {
  '2x200': {
    ...{ units: 200, timeSteps: 20, initialRange: 0.1, clip: 5, dropout: 0, steps: 8 },
    targets: { torch: 1.2, ceiling: 0.6 },
  },
  '2x650': {
    ...{ units: 650, timeSteps: 35, initialRange: 0.05, clip: 5, dropout: 0.5, steps: 2 },
    targets: { torch: 1, ceiling: 0.75 },
  },
};
export const wordsOf = ({ timeSteps }: Model) => BATCH_SIZE * timeSteps;

/**
 * Floating-point operations of a step: 2 for each multiply-add of a matrix product, each product 3 times, forward and for the
 * gradients of either operand. Per word, the products of an LSTM layer have 8 h^2 of them (inputs and state, 4 gates),
 * that of the softmax h V. Nothing else is counted.
 */
export const operationsOf = (model: Model) =>
  6 * wordsOf(model) * (LAYERS * 8 * model.units ** 2 + model.units * VOCABULARY);

export interface Setting {
  readonly name: string;
  readonly model: Model;
  readonly threads: number;
  readonly batches: Batches;
  readonly dropout: number;
}

/** A model with each number of threads. */
export function settingsOf(name: string, model: Model, threads: string, { dropout }: { dropout: boolean }): Setting[] {
  const batches = writeWords(BATCHES, BATCH_SIZE, model.timeSteps, VOCABULARY);
  return threads.split(',').map((count) => ({
    name,
    model,
    threads: Number(count),
    batches,
    dropout: dropout ? model.dropout : 0,
  }));
}

/** Words a second. */
export const inWords =
  (model: Model) =>
  ({ millisecondsPerStep }: Answer): number =>
    (1000 * wordsOf(model)) / millisecondsPerStep;

/** Our step of the built-in model. */
export function optionsOf({ model, threads, batches, dropout }: Setting): OurStepOptions {
  const { units, initialRange, clip } = model;
  return {
    model: { builtin: 'lstm-lm', layers: LAYERS, units, dropout, initialRange, tied: false },
    training: {
      optimizer: { type: 'sgd', learningRate: 1 },
      loss: 'sparse-categorical-crossentropy-from-logits',
      lossReduction: 'sum-over-time',
      clip: { globalNorm: clip },
    },
    batches,
    threads,
    executor: 'compiled',
  };
}
