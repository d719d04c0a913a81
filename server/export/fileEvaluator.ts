/** @file Evaluates a written file, and beside it the model that it was made from. */
import * as tf from '@tensorflow/tfjs';
import type { Evaluation, Executor, StepBatch } from '../compiler/program.ts';
import type { Dataset } from '../data/dataset.ts';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import { evaluateSplit, type SplitEvaluation } from '../training/evaluateSplit.ts';
import type { ModelProgram } from '../training/modelProgram.ts';
import type { OpenedModel, Output } from './format.ts';

export interface FileEvaluatorOptions {
  readonly program: ModelProgram;
  readonly dataset: Dataset;
  /** The model that the file was made from; undefined where its outputs are not compared. */
  readonly model?: OpenedModel;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

/** Evaluates a file, and holds its outputs to those of the model with its weights as floats. */
export class FileEvaluator implements Pick<Executor, 'evaluate' | 'resetStates'> {
  /** Largest difference of an output of the file from the model's. */
  largestDifference = 0;
  /** Largest output of the model, without its sign. */
  largestOutput = 0;
  /** Samples that were evaluated. */
  samples = 0;
  readonly #file: OpenedModel;
  readonly #options: FileEvaluatorOptions;
  #triedAlone = false;

  constructor(file: OpenedModel, options: FileEvaluatorOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** The metric and the loss of the whole test split. @throws when it is aborted, after a batch */
  ofTestSplit(): Promise<SplitEvaluation> {
    const { program, dataset } = this.#options;
    return evaluateSplit(this, { ...program, batchSize: this.#file.batchSize }, dataset, dataset.test);
  }

  resetStates(): void {
    this.#file.resetStates();
    this.#options.model?.resetStates();
  }

  async evaluate(batch: StepBatch): Promise<Evaluation> {
    const { size, samples = size, inputs } = batch;
    const { dataset, model, signal, onProgress } = this.#options;
    const actual = await this.#file.predict(size, inputs);
    const expected = await model?.predict(size, inputs);
    if (expected) this.#compare(actual, expected);
    const evaluation = await this.#score(batch, actual);
    if (expected && !this.#triedAlone && this.#file.batchSize === undefined) {
      this.#triedAlone = true;
      const first = inputs.map((values) => values.subarray(0, values.length / size));
      this.#compare(await this.#file.predict(1, first), expected);
    }
    this.samples += samples;
    onProgress({ phase: 'verifying', samples: this.samples, of: dataset.test.samples });
    signal.throwIfAborted();
    return evaluation;
  }

  async #score({ size, samples = size, targets }: StepBatch, outputs: readonly Output[]): Promise<Evaluation> {
    const { program } = this.#options;
    await tf.setBackend('cpu');
    const { loss, metrics } = tf.tidy(() => {
      const labels = program.targets.map(({ shape, dtype }, i) => tf.tensor(targets[i], [samples, ...shape], dtype));
      const predicted = outputs.map(({ values, shape }) => {
        const tensor = tf.tensor(values, [...shape]);
        return samples === size ? tensor : tf.slice(tensor, 0, samples);
      });
      const score = program.score(labels, predicted);
      return { loss: score.loss.dataSync()[0], metrics: score.metrics.map((metric) => metric.dataSync()[0]) };
    });
    return { loss, metrics };
  }

  /** @param expected of the model; outputs of the file that are shorter are of the first samples */
  #compare(actual: readonly Output[], expected: readonly Output[]): void {
    for (const [index, { values }] of actual.entries()) {
      const wanted = expected[index].values;
      for (let i = 0; i < values.length; i++) {
        const difference = Math.abs(values[i] - wanted[i]);
        // A number that is none is as far from the model's as can be, unless that is none either.
        if (Number.isNaN(difference)) {
          if (!Object.is(values[i], wanted[i])) this.largestDifference = Infinity;
          continue;
        }
        if (difference > this.largestDifference) this.largestDifference = difference;
        if (Math.abs(wanted[i]) > this.largestOutput) this.largestOutput = Math.abs(wanted[i]);
      }
    }
  }
}
