/** @file The training loop: step, distort, thin, observe, evaluate, checkpoint. */
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { nearZeros } from '../compression/histogram.ts';
import { besideWhole, denseSize, layerSize, modelSize } from '../compression/size.ts';
import { isMatrix, type CompressibleWeight } from '../compression/targets/targets.ts';
import type { StepLoss } from '../compiler/program.ts';
import type { Batch, TrainingStream } from '../data/dataset.ts';
import { learningRateAt, observeMetric } from '../optimizers/learningRate.ts';
import type { EventOf, LayerSize, Summary, Untimed } from '../protocol/run/events.ts';
import { samplesPerStep } from '../protocol/experiment/times.ts';
import { DivergenceError } from '../protocol/run/fault.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { checkLabels } from './checkLabels.ts';
import type { Progress } from './checkpointState.ts';
import type { BetweenSteps, SavedCheckpoint, TrainingControl } from './control.ts';
import { evaluateSplit } from './evaluateSplit.ts';
import type { LiveChanges } from './liveChanges.ts';
import { isObserved, observeSpectra, observeWeights, recordedLayers, wantsSpectrum } from './observe.ts';
import { notFiniteIn } from './notFiniteBatch.ts';
import { isTeacherAtFault } from './objective/distillation.ts';
import { divideLoss, MeanLoss } from './objective/loss.ts';
import type { Prepared } from './prepare.ts';
import { Stopwatch } from './stopwatch.ts';
import type { Thinned } from './thinning.ts';

export interface LoopHooks {
  record(event: Untimed): void;
  /** Removes the units that do nothing, and gives what trains from then on. */
  thin(batch: Batch, step: number): Promise<Thinned>;
  /** Saves the state after a step. @returns the path of the checkpoint, relative to the run folder */
  checkpoint(step: number, progress: Progress): Promise<string>;
  /** When it aborts, the loop stops after the current step, with a checkpoint. */
  readonly signal: AbortSignal;
  /** What the run is asked for while it trains. */
  readonly control: TrainingControl;
  /** Changes of settings while it trains. */
  readonly changes: Pick<LiveChanges, 'ask' | 'applyAfter'>;
}

/** Points of the loss curve that a run records, about. */
const METRIC_POINTS = 2000;
/** Evaluations in a run whose epochs are of unknown length. */
const EVALUATIONS = 20;

/** One run of the loop, from where `progress` was saved to the end or a stop. */
export class TrainingLoop {
  #prepared: Prepared;
  readonly #hooks: LoopHooks;
  readonly #clock: Stopwatch<keyof Progress['seconds']>;
  readonly #stepsPerEpoch: number | undefined;
  readonly #evaluateEvery: number;
  readonly #metricsEvery: number;
  #step: number;
  #plateau: Progress['plateau'];
  /** For each compression the step of its last recorded distortion; 0 before the first. */
  readonly #observations: number[];
  /** Undefined where something was recorded since. */
  #lastCheckpoint: SavedCheckpoint | undefined;
  #hasCheckpoint: boolean;
  readonly #warnings = new Set<string>();
  /** Loss and time of the steps since the last metrics event. */
  #recent: { loss: MeanLoss; seconds: number };

  /** @param done steps that were done when `progress` was saved; weights and optimizer are as they were then */
  constructor(prepared: Prepared, done: number, progress: Progress, hooks: LoopHooks) {
    const { training } = prepared.live.experiment;
    this.#prepared = prepared;
    this.#hooks = hooks;
    this.#clock = new Stopwatch<keyof Progress['seconds']>(progress.seconds, 'training');
    this.#stepsPerEpoch = prepared.dataset.stepsPerEpoch(samplesPerStep(training));
    this.#evaluateEvery = training.evaluateEvery ?? this.#stepsPerEpoch ?? Math.ceil(training.steps / EVALUATIONS);
    this.#metricsEvery = Math.max(1, Math.floor(training.steps / METRIC_POINTS));
    this.#step = done;
    this.#hasCheckpoint = done > 0;
    this.#plateau = progress.plateau;
    const { observations, lastObservation } = progress;
    this.#observations = prepared.compressions.map((_, i) => observations[i] ?? lastObservation);
    this.#recent = { loss: new MeanLoss(), seconds: progress.seconds.training + progress.seconds.distortion };
  }

  /** The step that is being done, or that was done last. Steps count from 1. */
  get step(): number {
    return this.#step;
  }

  /**
   * Trains to the last step, which ends right after a distortion. There is no checkpoint after it: what a compression
   * needs to be finished is not in one.
   * @returns the summary, or undefined when the signal stopped the run after a step, or before the first
   * @throws UserError when the loss or a weight is no longer finite, or a label is out of range
   */
  async run(): Promise<Summary | undefined> {
    const { dataset, live, seeding } = this.#prepared;
    const { training } = live.experiment;
    const { seed, steps, checkpointEvery } = training;
    const { signal, control } = this.#hooks;
    if (control.pending) await control.serve(this.#betweenSteps(false), signal);
    if (signal.aborted) return undefined;
    const stream = await dataset.openTraining({ batchSize: samplesPerStep(training), seed, seeding, step: this.#step });
    try {
      while (++this.#step < steps) {
        const distorted = await this.#trainAndDistort(stream);
        if (this.#step % this.#evaluateEvery === 0) await this.#evaluate('training');
        if (this.#step % checkpointEvery === 0) await this.#checkpoint(distorted);
        await turnOfEventLoop(); // The eager executor never waits, and a signal must be heard.
        if (control.pending) await control.serve(this.#betweenSteps(distorted), signal);
        if (signal.aborted) {
          await this.#checkpoint(distorted);
          return undefined;
        }
      }
      return await this.#finish(stream);
    } finally {
      await stream.close();
    }
  }

  async #trainAndDistort(stream: TrainingStream): Promise<boolean> {
    const batch = await this.#train(stream);
    this.#applyChanges();
    const { compressor, live } = this.#prepared;
    const distorts = compressor?.distortsAfter(this.#step) ?? false;
    if (distorts) await this.#distort(batch);
    else await this.#observeComputed();
    if (live.experiment.thin?.at.includes(this.#step)) await this.#thin(batch);
    return distorts;
  }

  /** The last step, with an evaluation before and after its distortion. */
  async #finish(stream: TrainingStream): Promise<Summary> {
    const { live, dataset, executor, compressor, weights, program, best, shapes } = this.#prepared;
    const batch = await this.#train(stream);
    this.#applyChanges();
    await this.#claimCheckedWeights();
    let validation = dataset.validation && (await this.#evaluate('training'));
    await executor.claimWeights();
    const restored = best?.restore() ?? false;
    const { testAtEnd } = live.experiment.training;
    const before = compressor && testAtEnd ? await this.#evaluate('before-last-distortion') : undefined;
    if (compressor) await this.#distort(batch);
    if (dataset.validation && (compressor || restored)) validation = await this.#evaluate('final', 'validation');
    const test = testAtEnd ? await this.#evaluate('final') : undefined;
    const shown = test ?? validation;
    await executor.claimWeights();

    const layers = (compressor?.sizes(weights) ?? weights.map(denseLayer)).map((row) =>
      besideWhole(row, shapes.get(row.name) ?? row.shape),
    );
    const { steps } = live.experiment.training;
    const { training, distortion, observation, evaluation } = this.#clock.seconds;
    return {
      metric: program.metric,
      test: test?.value ?? NaN,
      testBeforeLastDistortion: (before ?? test)?.value ?? NaN,
      ...(validation && { validation: validation.value }),
      ...(shown && { loss: shown.loss }),
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

  async #train(stream: TrainingStream): Promise<Batch> {
    const { executor, optimizer, compressor, constraints, program } = this.#prepared;
    const step = this.#step;
    const batch = await stream.next();
    checkLabels(batch, program.classes);
    this.#resetStatesAtEpoch();
    const learningRate = this.#learningRate();
    if (compressor) compressor.learningRate = learningRate;
    await compressor?.beforeStep(step);
    const stepLoss = divideLoss(await executor.step(batch, step - 1), program.lossScale);
    const { loss } = stepLoss;
    if (!Number.isFinite(loss)) throw this.#notFinite(`the loss is ${loss}`, batch, stepLoss.parts);
    await compressor?.pull();
    await optimizer.step(learningRate);
    const norm = optimizer.lastGradientNorm;
    if (norm !== undefined && !Number.isFinite(norm)) throw this.#notFinite(`the gradient's norm is ${norm}`, batch);
    await compressor?.push();
    await constraints.afterUpdate();
    this.#recordMetrics(stepLoss, learningRate);
    return batch;
  }

  #learningRate(): number {
    const { learningRateSchedule, optimizer } = this.#prepared.live.experiment.training;
    const step = this.#step - 1;
    const epoch = this.#stepsPerEpoch === undefined ? 0 : Math.floor(step / this.#stepsPerEpoch);
    return learningRateAt(learningRateSchedule, optimizer.learningRate, { step, epoch, plateau: this.#plateau });
  }

  /** A stateful model starts an epoch without a state. */
  #resetStatesAtEpoch(): void {
    if (this.#stepsPerEpoch !== undefined && (this.#step - 1) % this.#stepsPerEpoch === 0) {
      this.#prepared.executor.resetStates('training');
    }
  }

  #recordMetrics(stepLoss: StepLoss, learningRate: number): void {
    const { loss } = this.#recent;
    loss.add(stepLoss);
    if (this.#step % this.#metricsEvery !== 0 && this.#step !== this.#prepared.live.experiment.training.steps) return;
    const { training, distortion } = this.#clock.seconds;
    const seconds = training + distortion;
    const { loss: mean, ...parts } = loss.mean;
    this.#hooks.record({
      type: 'metrics',
      step: this.#step,
      loss: mean,
      learningRate,
      stepsPerSecond: loss.steps / (seconds - this.#recent.seconds),
      epoch: this.#stepsPerEpoch === undefined ? 0 : this.#step / this.#stepsPerEpoch,
      ...parts,
    });
    this.#recent = { loss: new MeanLoss(), seconds };
  }

  #applyChanges(): void {
    for (const changed of this.#hooks.changes.applyAfter(this.#step)) this.#hooks.record(changed);
  }

  async #distort(batch: Batch): Promise<void> {
    const { executor, compressor, constraints, live } = this.#prepared;
    const { experiment } = live;
    const step = this.#step;
    if (compressor === undefined) return;
    const due = compressor.dueAfter(step);
    const lastObservation = Math.min(...due.map((i) => this.#observations[i]));
    if (!isObserved(experiment, step, lastObservation)) {
      await this.#clock.during('distortion', async () => {
        await executor.claimWeights();
        await compressor.distort(step);
        await constraints.afterDistortion();
      });
      return;
    }
    await this.#claimCheckedWeights();
    const spectra = wantsSpectrum(experiment, step, lastObservation);
    await this.#clock.during('observation', async () => {
      if (spectra) this.#hooks.record({ type: 'spectrum', step, weights: await observeSpectra(compressor, step) });
      const lossBefore = await this.#lossOf(batch);
      await executor.claimWeights();
      // With its report: copies, histograms and errors take many times as long as the distortion itself.
      const weights = await compressor.distort(step, { bins: experiment.observe.bins });
      await constraints.afterDistortion();
      const lossAfter = await this.#lossOf(batch);
      this.#hooks.record({ type: 'distortion', step, weights, lossBefore, lossAfter });
    });
    for (const i of due) this.#observations[i] = step;
  }

  /** The time that it takes to compile the step of the smaller model is not counted. */
  async #thin(batch: Batch): Promise<void> {
    await this.#claimCheckedWeights();
    const step = this.#step;
    const { prepared, report, lossBefore, lossAfter } = await this.#clock.uncounted(() =>
      this.#hooks.thin(batch, step),
    );
    this.#prepared = prepared;
    const { parameters, multiplyAdds } = report;
    const removed = report.layers.map((layer) => ({ ...layer, kept: [...layer.kept] }));
    const layers = recordedLayers(prepared);
    this.#hooks.record({ type: 'thinned', step, removed, parameters, multiplyAdds, lossBefore, lossAfter, layers });
  }

  /** Loss of a training batch in inference mode. */
  async #lossOf(batch: Batch): Promise<number> {
    const { executor } = this.#prepared;
    executor.resetStates('evaluation');
    const { loss } = await this.#asComputed(() => executor.evaluate(batch));
    return loss;
  }

  async #evaluate(
    moment: EventOf<'evaluation'>['moment'],
    split: 'validation' | 'test' = moment === 'training' && this.#prepared.dataset.validation ? 'validation' : 'test',
  ): Promise<{ readonly value: number; readonly loss: number }> {
    const { dataset, executor, program, live, best } = this.#prepared;
    return this.#clock.during('evaluation', async () => {
      const samples = dataset[split] ?? dataset.test;
      const { notFinite, ...evaluation } = await this.#asComputed(() =>
        evaluateSplit(executor, program, dataset, samples),
      );
      if (notFinite !== undefined && samples.warning === undefined)
        this.#warnOnce(`data: of the ${split} split, ${notFinite}; what is measured on it is not a number.`);
      const { loss, value } = evaluation;
      const { learningRateSchedule } = live.experiment.training;
      if (moment === 'training' && best) {
        await executor.claimWeights();
        best.consider(loss);
      }
      if (moment === 'training' && learningRateSchedule.type === 'plateau') {
        this.#plateau = observeMetric(learningRateSchedule, this.#plateau, loss, 'min');
      }
      this.#hooks.record({ type: 'evaluation', step: this.#step, split, ...evaluation, moment });
      return { value, loss };
    });
  }

  /**
   * Evaluates with the weights that the model computes with: between two steps, a straight-through policy stores others.
   * After the last step what is stored counts, in full precision before the last distortion and compressed after it.
   */
  async #asComputed<R>(evaluate: () => Promise<R>): Promise<R> {
    const { compressor, live } = this.#prepared;
    const between = this.#step < live.experiment.training.steps;
    if (between) await compressor?.beforeEvaluation(this.#step);
    const result = await evaluate();
    if (between) compressor?.afterEvaluation();
    return result;
  }

  #betweenSteps(afterDistortion: boolean): BetweenSteps {
    return {
      observe: () => this.#observe(),
      checkpoint: () => this.#checkpoint(afterDistortion),
      change: (values) => this.#hooks.changes.ask(values, this.#step),
      rest: (until) => this.#clock.uncounted(() => until),
    };
  }

  async #observe(): Promise<void> {
    const step = this.#step;
    await this.#claimCheckedWeights();
    // A run that was resumed has not done a step yet.
    if (this.#prepared.compressor) this.#prepared.compressor.learningRate = this.#learningRate();
    await this.#clock.during('observation', async () => {
      const { weights, spectra } = await observeWeights(this.#prepared, step);
      if (spectra.length > 0) this.#hooks.record({ type: 'spectrum', step, weights: spectra });
      this.#hooks.record({ type: 'observation', step, weights });
    });
    this.#lastCheckpoint = undefined;
  }

  /** Records compressed weights that the model computes with and no distortion shows, as often as distortions are recorded. */
  async #observeComputed(): Promise<void> {
    const { compressor, live } = this.#prepared;
    const step = this.#step;
    const computed = compressor?.computedAfter(step) ?? [];
    if (compressor === undefined || computed.length === 0) return;
    if (!isObserved(live.experiment, step, Math.min(...computed.map((i) => this.#observations[i])))) return;
    await this.#claimCheckedWeights();
    await this.#clock.during('observation', async () => {
      const weights = await compressor.preview(step, { bins: live.experiment.observe.bins });
      this.#hooks.record({ type: 'observation', step, weights, scheduled: true });
    });
    for (const i of computed) this.#observations[i] = step;
  }

  async #checkpoint(afterDistortion: boolean): Promise<SavedCheckpoint> {
    if (this.#lastCheckpoint?.step === this.#step) return this.#lastCheckpoint;
    await this.#claimCheckedWeights();
    const progress: Progress = {
      seeding: this.#prepared.seeding,
      device: this.#prepared.executor.device,
      plateau: this.#plateau,
      ...(this.#prepared.best?.loss !== undefined && { bestLoss: this.#prepared.best.loss }),
      afterDistortion,
      ...(this.#prepared.topology && { topology: this.#prepared.topology }),
      lastObservation: Math.max(0, ...this.#observations),
      observations: this.#observations,
      seconds: this.#clock.seconds,
    };
    const path = await this.#hooks.checkpoint(this.#step, progress);
    this.#hasCheckpoint = true;
    return (this.#lastCheckpoint = { step: this.#step, path });
  }

  /** A loss that is finite can have a gradient that is not; the loss of the next step would tell, but is not waited for. */
  async #claimCheckedWeights(): Promise<void> {
    await this.#prepared.executor.claimWeights();
    const bad = this.#weightNotFinite();
    if (bad !== undefined) throw this.#diverged(`a weight of ${bad} is not finite`);
  }

  #weightNotFinite(): string | undefined {
    const { list } = this.#prepared.parameters;
    return list.find(({ value }) => value.some((weight) => !Number.isFinite(weight)))?.name;
  }

  /** Values of the batch, and weights that the model begins with, make every step fail alike. */
  #notFinite(what: string, batch: Batch, parts: StepLoss['parts'] = {}): UserError {
    const inBatch = notFiniteIn(batch, this.#prepared.dataset);
    if (inBatch !== undefined)
      return new UserError(`data: ${what} at step ${this.#step}, because of the batch: of its ${inBatch}.`, {
        remedy: 'Correct the data, or leave such samples out: a model learns nothing from them.',
      });
    if (isTeacherAtFault(parts))
      return new UserError(
        `distillation.teacher: ${what} at step ${this.#step}, because the teacher's outputs are not finite.`,
        {
          remedy: 'Name a teacher whose training did not diverge.',
          exitCode: ExitCode.usage,
        },
      );
    const initial = this.#step === 1 ? this.#weightNotFinite() : undefined;
    if (initial !== undefined)
      return new UserError(
        `model: ${what} at step 1, because a weight of ${initial} is not finite from the beginning.`,
        {
          remedy: 'See how the model initializes it, or the file from which the model is loaded.',
        },
      );
    return this.#diverged(what);
  }

  #diverged(what: string): DivergenceError {
    const intact = this.#hasCheckpoint ? ' Earlier checkpoints are intact.' : '';
    return new DivergenceError(`Training diverged at step ${this.#step}: ${what}.${intact}`, {
      remedy:
        'Lower training.optimizer.learningRate, clip the gradient (training.clip.globalNorm), or distort less at once: ' +
        'a lower rate, more bits, a higher rank, or a schedule that ends later.',
    });
  }

  #warnOnce(message: string): void {
    if (this.#warnings.has(message)) return;
    this.#warnings.add(message);
    this.#hooks.record({ type: 'warning', step: this.#step, message });
  }
}

function denseLayer({ name, shape, values }: CompressibleWeight): LayerSize {
  return layerSize(name, shape, denseSize(values.length));
}
