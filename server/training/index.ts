/** @file Running experiments in run folders: what the command line and the sidecar call. */
import * as tf from '@tensorflow/tfjs';
import { appendFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseExperiment } from '../protocol/parseExperiment.ts';
import type { EventOf, RunEvent } from '../protocol/events.ts';
import { UserError } from '../protocol/userError.ts';
import { readLatestCheckpoint, writeCheckpoint, type Checkpoint } from '../runs/checkpoints.ts';
import { createRun } from '../runs/createRun.ts';
import { EventLog } from '../runs/eventLog.ts';
import { loadExperiment } from '../runs/loadExperiment.ts';
import { lockRun } from '../runs/lockRun.ts';
import type { Run } from '../runs/run.ts';
import { checkpointTensors, progressSchema, restoreTensors, type Progress } from './checkpointState.ts';
import { describeDevice } from './device.ts';
import { evaluateSplit } from './evaluateSplit.ts';
import { readFinalModel, writeFinalModel } from './finalModel.ts';
import { prepare, type Prepared } from './prepare.ts';
import { initialProgress, trainingLoop, type Untimed } from './trainingLoop.ts';

// Without it, TensorFlow.js advertises tfjs-node on the terminal and checks values for debugging.
tf.enableProdMode();

export interface TrainingOutcome {
  run: Run;
  state: 'finished' | 'failed' | 'stopped';
}

export interface TrainingObserver {
  /** Receives each event when it has been recorded. */
  onEvent: (event: RunEvent) => void;
  /** When it aborts, the run stops after the current step, with a checkpoint and a `stopped` event. */
  signal: AbortSignal;
}

/**
 * Trains the experiment in `file` in a new run folder.
 * @param options.out folder in which the run folder is made; default: `.deeptwist/runs/` beside the file
 * @returns how the run ended; a failure that could be recorded is a `failed` event and not an exception
 * @throws UserError for what keeps the run from beginning
 */
export async function runExperiment(
  options: { file: string; overrides: readonly string[]; out?: string } & TrainingObserver,
): Promise<TrainingOutcome> {
  const { file, overrides, out } = options;
  const { text, experiment } = await loadExperiment(file, overrides);
  const prepared = await prepare(experiment, file);
  try {
    const run = await createRun({ experiment: file, text, overrides, sources: prepared.files, out });
    return await trainInFolder(run, prepared, options, undefined);
  } finally {
    await prepared.dispose();
  }
}

/**
 * Goes on from the newest checkpoint that is whole, or from the start when there is none.
 * @returns as {@link runExperiment}
 * @throws UserError for what keeps the run from going on
 */
export async function resumeRun(options: { run: Run } & TrainingObserver): Promise<TrainingOutcome> {
  const { run } = options;
  const prepared = await prepareRun(run);
  try {
    return await trainInFolder(run, prepared, options, await readLatestCheckpoint(run));
  } finally {
    await prepared.dispose();
  }
}

/** Evaluates the final model as it is stored in the run folder, on the test set. Records nothing. */
export async function evaluateRun({ run, signal }: { run: Run; signal: AbortSignal }): Promise<EventOf<'evaluation'>> {
  signal.throwIfAborted();
  const prepared = await prepareRun(run);
  try {
    const { executor, program, dataset, parameters, experiment } = prepared;
    await readFinalModel(run, parameters);
    const result = await evaluateSplit(executor, program, dataset.test, experiment.training.batchSize);
    const { steps } = experiment.training;
    return { type: 'evaluation', step: steps, time: Date.now(), split: 'test', ...result, moment: 'final' };
  } finally {
    await prepared.dispose();
  }
}

async function prepareRun(run: Run): Promise<Prepared> {
  const { experiment: file, overrides } = run.record;
  const experiment = parseExperiment(await run.experimentText(), { file: run.experimentFile, overrides });
  return prepare(experiment, file);
}

type Resumption = Awaited<ReturnType<typeof readLatestCheckpoint>>;

async function trainInFolder(
  run: Run,
  prepared: Prepared,
  { onEvent, signal }: TrainingObserver,
  resumption: Resumption | undefined,
): Promise<TrainingOutcome> {
  const lock = await lockRun(run);
  let state: TrainingOutcome['state'] = 'failed';
  try {
    const cutAt = resumption && (resumption.checkpoint?.eventsOffset ?? 0);
    const log = await EventLog.open(run, { cutAt });
    let step = resumption?.checkpoint?.step ?? 0;
    const emit = (untimed: Untimed): void => {
      step = untimed.step;
      const event = { ...untimed, time: Date.now() } as RunEvent;
      log.append(event);
      onEvent(event);
    };
    try {
      state = await trainAndRecord(run, prepared, { log, emit, signal, resumption });
    } catch (error) {
      const failed = failure(error, step, run);
      try {
        emit(failed);
      } catch {
        // The disk is full: what was recorded stays, and the user hears of it.
        onEvent({ ...failed, time: Date.now() });
      }
    } finally {
      log.close();
    }
    return { run, state };
  } finally {
    await lock.release(state);
  }
}

interface Recording {
  readonly log: EventLog;
  readonly emit: (event: Untimed) => void;
  readonly signal: AbortSignal;
  readonly resumption: Resumption | undefined;
}

async function trainAndRecord(
  run: Run,
  prepared: Prepared,
  { log, emit, signal, resumption }: Recording,
): Promise<TrainingOutcome['state']> {
  const { experiment, executor, weights, compressor, parameters } = prepared;
  const checkpoint = resumption?.checkpoint;
  const start = checkpoint ? restore(checkpoint, prepared, run) : { step: 0, progress: initialProgress };
  const compressed = new Set(compressor?.targets.map(({ weight }) => weight.name));
  emit({
    type: 'started',
    step: start.step,
    run: run.id,
    config: experiment,
    layers: weights.map(({ name, layer, shape }) => ({
      name,
      layer,
      shape: [...shape],
      compressed: compressed.has(name),
    })),
    device: describeDevice(),
    executor: executor.description,
    ...(resumption && { resumedFrom: start.step }),
  });
  for (const message of [...prepared.warnings, ...(resumption?.warnings ?? [])]) {
    emit({ type: 'warning', step: start.step, message });
  }

  const last = { step: start.step, path: undefined as string | undefined };
  const summary = await trainingLoop(prepared, start, {
    record: emit,
    signal,
    async checkpoint(step, progress, afterDistortion) {
      const file = await writeCheckpoint(
        run,
        { step, tensors: checkpointTensors(prepared), state: progress, eventsOffset: log.sync() },
        { keep: experiment.training.keepCheckpoints },
      );
      last.step = step;
      last.path = relative(run.path, file);
      emit({ type: 'checkpoint', step, path: last.path, afterDistortion });
    },
  });
  if (summary === undefined) {
    emit({ type: 'stopped', step: last.step, checkpoint: last.path });
    return 'stopped';
  }
  await writeFinalModel(run, parameters);
  emit({ type: 'finished', step: summary.steps, summary });
  return 'finished';
}

function restore(checkpoint: Checkpoint, prepared: Prepared, run: Run): { step: number; progress: Progress } {
  restoreTensors(checkpoint.tensors, prepared, run.checkpointsFolder);
  return { step: checkpoint.step, progress: progressSchema.parse(checkpoint.state) };
}

function failure(error: unknown, step: number, run: Run): Untimed<EventOf<'failed'>> {
  if (error instanceof UserError) return { type: 'failed', step, message: error.message, remedy: error.remedy };
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const file = join(run.path, 'error.log');
  try {
    appendFileSync(file, `${new Date().toISOString()} step ${step}\n${stack}\n`);
  } catch {
    // The message says enough where nothing can be written.
  }
  return { type: 'failed', step, message, remedy: `The details are in ${file}.` };
}
