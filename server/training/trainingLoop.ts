/** @file The training loop: step, distort, observe, evaluate, checkpoint. */
import { nearZeros } from '../compression/histogram.ts';
import { denseSize, layerSize, modelSize } from '../compression/size.ts';
import { isMatrix, type CompressibleWeight } from '../compression/targets.ts';
import type { Batch, TrainingStream } from '../data/dataset.ts';
import { initialPlateauState, learningRateAt, observeMetric } from '../optimizers/learningRate.ts';
import type { EventOf, LayerSize, RunEvent, Summary } from '../protocol/events.ts';
import { UserError } from '../protocol/userError.ts';
import { checkLabels } from './checkLabels.ts';
import type { Progress } from './checkpointState.ts';
import { evaluateSplit } from './evaluateSplit.ts';
import { isObserved, observeSpectra, wantsSpectrum } from './observe.ts';
import type { Prepared } from './prepare.ts';
import { Stopwatch } from './stopwatch.ts';

/** An event without the time, which whoever records it adds. */
export type Untimed<E extends RunEvent = RunEvent> = E extends RunEvent ? Omit<E, 'time'> : never;

export interface LoopHooks {
  record(event: Untimed): void;
  /** Saves the state after a step. */
  checkpoint(step: number, progress: Progress, afterDistortion: boolean): Promise<void>;
  readonly signal: AbortSignal;
}

/** Points of the loss curve that a run records, about. */
const METRIC_POINTS = 2000;

export const initialProgress: Progress = {
  iterations: 0,
  plateau: initialPlateauState,
  lastObservation: 0,
  testBeforeLastDistortion: null,
  seconds: { training: 0, distortion: 0, observation: 0, evaluation: 0 },
};

/**
 * Trains from the step behind `start.step` to the end, which comes right after a distortion.
 * @returns the summary, or undefined when the signal stopped the run after a step
 * @throws UserError when the loss or a weight is no longer finite
 */
export async function trainingLoop(
  prepared: Prepared,
  start: { step: number; progress: Progress },
  hooks: LoopHooks,
): Promise<Summary | undefined> {
  const loop = new TrainingLoop(prepared, start.progress, hooks);
  return loop.run(start.step);
}

class TrainingLoop {
  readonly #prepared: Prepared;
  readonly #hooks: LoopHooks;
  readonly #clock: Stopwatch<keyof Progress['seconds']>;
  readonly #stepsPerEpoch: number | undefined;
  readonly #evaluateEvery: number;
  readonly #metricsEvery: number;
  #plateau: Progress['plateau'];
  #lastObservation: number;
  #testBeforeLastDistortion: number | null;
  /** Of the steps since the last metrics event. */
  #recent = { loss: 0, steps: 0, seconds: 0 };

  constructor(prepared: Prepared, progress: Progress, hooks: LoopHooks) {
    const { training } = prepared.experiment;
    this.#prepared = prepared;
    this.#hooks = hooks;
    this.#clock = new Stopwatch<keyof Progress['seconds']>(progress.seconds, 'training');
    this.#plateau = progress.plateau;
    this.#lastObservation = progress.lastObservation;
    this.#testBeforeLastDistortion = progress.testBeforeLastDistortion;
    this.#stepsPerEpoch = prepared.dataset.stepsPerEpoch(training.batchSize);
    this.#evaluateEvery = training.evaluateEvery ?? this.#stepsPerEpoch ?? Math.ceil(training.steps / 20);
    this.#metricsEvery = Math.max(1, Math.floor(training.steps / METRIC_POINTS));
    this.#recent.seconds = progress.seconds.training + progress.seconds.distortion;
    prepared.optimizer.iterations = progress.iterations;
  }

  async run(done: number): Promise<Summary | undefined> {
    const { dataset, experiment } = this.#prepared;
    const { batchSize, seed, steps, checkpointEvery } = experiment.training;
    const stream = await dataset.openTraining({ batchSize, seed, step: done });
    try {
      for (let step = done + 1; step <= steps; step++) {
        const batch = await this.#step(stream, step);
        const distorted = await this.#distort(step, batch);
        if (step < steps && step % this.#evaluateEvery === 0) await this.#evaluate(step, 'training');
        const stopping = this.#hooks.signal.aborted && step < steps;
        if (stopping || step % checkpointEvery === 0) await this.#checkpoint(step, distorted);
        if (stopping) return undefined;
      }
      return await this.#summary();
    } finally {
      await stream.close();
    }
  }

  async #step(stream: TrainingStream, step: number): Promise<Batch> {
    const { executor, optimizer, compressor, program } = this.#prepared;
    const next = stream.next();
    const batch = next instanceof Promise ? await next : next;
    checkLabels(batch, program.classes);
    this.#resetStatesAtEpoch(step);
    await compressor?.beforeStep(step);
    const loss = await executor.step(batch, step - 1);
    if (!Number.isFinite(loss)) throw this.#diverged(step, `the loss is ${loss}`);
    compressor?.beforeUpdate(step);
    const learningRate = this.#learningRate(step - 1);
    optimizer.step(learningRate);
    const norm = optimizer.lastGradientNorm;
    if (norm !== undefined && !Number.isFinite(norm)) throw this.#diverged(step, `the gradient's norm is ${norm}`);
    compressor?.afterUpdate(step);
    this.#recordMetrics(step, loss, learningRate);
    return batch;
  }

  #learningRate(done: number): number {
    const { learningRateSchedule, optimizer } = this.#prepared.experiment.training;
    const epoch = this.#stepsPerEpoch === undefined ? 0 : Math.floor(done / this.#stepsPerEpoch);
    return learningRateAt(learningRateSchedule, optimizer.learningRate, { step: done, epoch, plateau: this.#plateau });
  }

  /** A stateful model starts an epoch without a state. */
  #resetStatesAtEpoch(step: number): void {
    if (this.#stepsPerEpoch !== undefined && (step - 1) % this.#stepsPerEpoch === 0) {
      this.#prepared.executor.resetStates('training');
    }
  }

  #recordMetrics(step: number, loss: number, learningRate: number): void {
    this.#recent.loss += loss;
    this.#recent.steps++;
    if (step % this.#metricsEvery !== 0 && step !== this.#prepared.experiment.training.steps) return;
    const { training, distortion } = this.#clock.seconds;
    const seconds = training + distortion;
    this.#hooks.record({
      type: 'metrics',
      step,
      loss: this.#recent.loss / this.#recent.steps,
      learningRate,
      stepsPerSecond: this.#recent.steps / (seconds - this.#recent.seconds),
      epoch: this.#stepsPerEpoch === undefined ? 0 : step / this.#stepsPerEpoch,
    });
    this.#recent = { loss: 0, steps: 0, seconds };
  }

  async #distort(step: number, batch: Batch): Promise<boolean> {
    const { compressor, experiment, executor } = this.#prepared;
    if (compressor === undefined || !compressor.distortsAfter(step)) return false;
    if (step === experiment.training.steps) {
      this.#testBeforeLastDistortion = await this.#evaluate(step, 'before-last-distortion');
    }
    if (!isObserved(experiment, step, this.#lastObservation)) {
      await this.#clock.during('distortion', () => compressor.distort(step));
      return true;
    }
    const spectra = wantsSpectrum(experiment, step, this.#lastObservation);
    await this.#clock.during('observation', async () => {
      if (spectra) this.#hooks.record({ type: 'spectrum', step, weights: await observeSpectra(compressor, step) });
      const loss = async () => {
        executor.resetStates('evaluation');
        return (await this.#computing(step, () => executor.evaluate(batch))).loss;
      };
      const lossBefore = await loss();
      const weights = await compressor.distort(step, { bins: experiment.observe.bins });
      const lossAfter = await loss();
      this.#hooks.record({ type: 'distortion', step, weights, lossBefore, lossAfter });
    });
    this.#lastObservation = step;
    return true;
  }

  /** Between two steps a policy with a shadow stores other weights than the model computes with. */
  async #computing<R>(step: number, evaluate: () => Promise<R>): Promise<R> {
    const { compressor, experiment } = this.#prepared;
    const between = step < experiment.training.steps;
    if (between) await compressor?.beforeStep(step);
    const result = await evaluate();
    if (between) compressor?.beforeUpdate(step);
    return result;
  }

  async #evaluate(step: number, moment: EventOf<'evaluation'>['moment']): Promise<number> {
    const { dataset, executor, program, experiment } = this.#prepared;
    const split = moment === 'training' && dataset.validation ? 'validation' : 'test';
    return this.#clock.during('evaluation', async () => {
      const { loss, metric, value } = await this.#computing(step, () =>
        evaluateSplit(executor, program, dataset[split] ?? dataset.test, experiment.training.batchSize),
      );
      const { learningRateSchedule } = experiment.training;
      if (moment === 'training' && learningRateSchedule.type === 'plateau') {
        this.#plateau = observeMetric(learningRateSchedule, this.#plateau, loss, 'min');
      }
      this.#hooks.record({ type: 'evaluation', step, split, metric, value, loss, moment });
      return value;
    });
  }

  async #checkpoint(step: number, afterDistortion: boolean): Promise<void> {
    const { parameters, optimizer } = this.#prepared;
    const bad = parameters.list.find(({ value }) => value.some((weight) => !Number.isFinite(weight)));
    if (bad !== undefined) throw this.#diverged(step, `a weight of ${bad.name} is not finite`);
    await this.#hooks.checkpoint(
      step,
      {
        iterations: optimizer.iterations,
        plateau: this.#plateau,
        lastObservation: this.#lastObservation,
        testBeforeLastDistortion: this.#testBeforeLastDistortion,
        seconds: this.#clock.seconds,
      },
      afterDistortion,
    );
  }

  #diverged(step: number, what: string): UserError {
    return new UserError(`Training diverged at step ${step}: ${what}. The last checkpoint is as it was before.`, {
      remedy:
        'Lower training.optimizer.learningRate, clip the gradient (training.clip.globalNorm), or distort less at once: ' +
        'a lower rate, more bits, a higher rank, or a schedule that ends later.',
    });
  }

  async #summary(): Promise<Summary> {
    const { experiment, compressor, weights, program } = this.#prepared;
    const { steps } = experiment.training;
    const test = await this.#evaluate(steps, 'final');
    const layers = compressor?.sizes(weights) ?? weights.map(denseLayer);
    const { training, distortion, observation, evaluation } = this.#clock.seconds;
    return {
      metric: program.metrics[0] ?? 'loss',
      test,
      testBeforeLastDistortion: this.#testBeforeLastDistortion ?? test,
      ...modelSize(layers),
      layers,
      steps,
      stepsPerSecond: steps / (training + distortion),
      trainingSeconds: training,
      distortionSeconds: distortion,
      observationSeconds: observation,
      evaluationSeconds: evaluation,
      nearZeros: weights.filter(isMatrix).reduce((sum, { values }) => sum + nearZeros(values), 0),
    };
  }
}

function denseLayer({ name, shape, values }: CompressibleWeight): LayerSize {
  return layerSize(name, shape, denseSize(values.length));
}
