/**
 * @file Gradient accumulation: a training step of a batch that is computed in parts, one after the other, so that a step needs the
 * memory of a part. Loss and gradient are the means over the parts, which are those of the whole batch, but for rounding, where no
 * sample depends on the others of its batch.
 */
import type { Device } from '../compiler/device.ts';
import type { ParameterSet } from '../compiler/parameters.ts';
import type { Evaluation, Executor, StepBatch, StepLoss } from '../compiler/program.ts';
import { GradientSums } from '../optimizers/gradientSums.ts';
import type { KernelThreads } from '../optimizers/kernelThreads.ts';
import type { TrainingConfig } from '../protocol/experiment/schema.ts';
import { samplesPerStep } from '../protocol/experiment/times.ts';
import { MeanLoss } from './objective/loss.ts';

type Stream = 'training' | 'evaluation';

export class AccumulatingExecutor implements Executor {
  readonly description: string;
  readonly device: Device;
  /** States of stateful layers of the training stream, those of each part by themselves. */
  readonly states: ReadonlyMap<string, Float32Array>;
  readonly #executor: Executor;
  readonly #parts: number;
  readonly #samples: number;
  readonly #sums: GradientSums;
  /** {@link states} by part, under the names that the executor has for them. */
  readonly #statesOf: readonly ReadonlyMap<string, Float32Array>[];

  /**
   * @param executor computes a step of one part; its dense gradients have room for sums beside them
   * @param parameters those of the executor
   * @param threads those that sum up; default: the one that calls
   */
  constructor(
    executor: Executor,
    parameters: ParameterSet,
    training: Pick<TrainingConfig, 'batchSize' | 'accumulate'>,
    threads?: KernelThreads,
  ) {
    this.#executor = executor;
    this.#parts = training.accumulate;
    this.#samples = samplesPerStep(training);
    this.description = executor.description;
    this.device = executor.device;
    this.#sums = new GradientSums(
      parameters.list.filter(({ trainable }) => trainable),
      threads,
    );
    this.#statesOf = Array.from(
      { length: this.#parts },
      () => new Map([...executor.states].map(([name, { length }]) => [name, new Float32Array(length)])),
    );
    this.states = new Map(
      this.#statesOf.flatMap((own, part) => [...own].map(([name, state]) => [`${name}/part-${part}`, state] as const)),
    );
  }

  /** A step of a batch of {@link samplesPerStep} samples: {@link Executor.step}. */
  async step(batch: StepBatch, step: number): Promise<StepLoss> {
    const mean = new MeanLoss();
    for (const [part, samples] of this.#partsOf(batch).entries()) {
      const states = this.#statesOf[part];
      for (const [name, state] of this.#executor.states) state.set(states.get(name)!);
      mean.add(await this.#executor.step(samples, step * this.#parts + part));
      for (const [name, state] of this.#executor.states) states.get(name)!.set(state);
      if (part < this.#parts - 1) this.#sums.add();
    }
    this.#sums.average(this.#parts);
    const { loss, losses = {}, shares = {} } = mean.mean;
    return { loss, parts: losses, shares };
  }

  claimWeights(): Promise<void> {
    return this.#executor.claimWeights();
  }

  /** A batch of a training step is evaluated in its parts, any other as a whole: {@link Executor.evaluate}. */
  async evaluate(batch: StepBatch): Promise<Evaluation> {
    if (batch.size !== this.#samples) return this.#executor.evaluate(batch);
    const evaluations: Evaluation[] = [];
    for (const samples of this.#partsOf(batch)) {
      if (evaluations.length > 0) this.#executor.resetStates('evaluation');
      evaluations.push(await this.#executor.evaluate(samples));
    }
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      loss: mean(evaluations.map(({ loss }) => loss)),
      metrics: evaluations[0].metrics.map((_, i) => mean(evaluations.map(({ metrics }) => metrics[i]))),
    };
  }

  resetStates(stream: Stream): void {
    if (stream === 'training') for (const state of this.states.values()) state.fill(0);
    this.#executor.resetStates(stream);
  }

  async dispose(): Promise<void> {
    await this.#executor.dispose();
  }

  /** The samples of a batch in their order, without a copy. */
  #partsOf({ size, inputs, targets }: StepBatch): StepBatch[] {
    if (size !== this.#samples) throw new RangeError(`A batch of ${size}, in place of ${this.#samples}.`);
    const part = <A extends Float32Array | Int32Array>(values: A, index: number) => {
      const length = values.length / this.#parts;
      return values.subarray(index * length, (index + 1) * length);
    };
    return Array.from({ length: this.#parts }, (_, index) => ({
      size: size / this.#parts,
      inputs: inputs.map((values) => part(values, index)),
      targets: targets.map((values) => part(values, index)),
    }));
  }
}
