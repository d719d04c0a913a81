/** @file Running experiments in run folders: what the command line and the sidecar call. */
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { ExperimentSettings } from '../protocol/config.ts';
import type { EventOf } from '../protocol/events.ts';
import { parseExperiment, placed, type ExperimentText } from '../protocol/parseExperiment.ts';
import { SettingError } from '../protocol/settingError.ts';
import { readLatestCheckpoint } from '../runs/checkpoints.ts';
import { createRun } from '../runs/createRun.ts';
import { loadExperiment } from '../runs/loadExperiment.ts';
import { lockRun } from '../runs/lockRun.ts';
import type { Run } from '../runs/run.ts';
import { evaluateSplit } from './evaluateSplit.ts';
import { readFinalModel } from './finalModel.ts';
import { prepare, type Prepared } from './prepare.ts';
import { keepVocabulary } from './runVocabulary.ts';
import { trainInFolder, type EndState, type TrainingObserver } from './trainInFolder.ts';

// Without it, TensorFlow.js advertises tfjs-node on the terminal and checks values for debugging.
tf.enableProdMode();

export interface TrainingOutcome {
  run: Run;
  state: EndState;
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
  const { text, name, experiment } = await loadExperiment(file, overrides);
  const source = { file: name, text, overrides };
  const prepared = await withPlaces(source, () => prepare(experiment, dirname(file), { pretrained: true }));
  try {
    const run = await createRun({ experiment: file, text, overrides, sources: prepared.files, out });
    const lock = await lockRun(run);
    let state: EndState = 'failed';
    try {
      state = await trainInFolder(run, prepared, options);
    } finally {
      await lock.release(state);
    }
    return { run, state };
  } finally {
    await prepared.dispose();
  }
}

/**
 * Goes on from the newest checkpoint that is whole, or from the start when there is none.
 * @returns as {@link runExperiment}
 * @throws UserError for what keeps the run from going on, which leaves it as it is
 */
export async function resumeRun(options: { run: Run } & TrainingObserver): Promise<TrainingOutcome> {
  const { run } = options;
  const lock = await lockRun(run);
  let state: EndState | undefined;
  try {
    const resumption = await readLatestCheckpoint(run);
    const prepared = await prepareRun(run, { pretrained: resumption.checkpoint === undefined });
    try {
      state = await trainInFolder(run, prepared, options, resumption);
    } finally {
      await prepared.dispose();
    }
    return { run, state };
  } finally {
    await lock.release(state);
  }
}

/**
 * Evaluates the final model as it is stored in the run folder, on the test set. Records nothing.
 * @throws UserError when it cannot be; what the signal was aborted with
 */
export async function evaluateRun({ run, signal }: { run: Run; signal: AbortSignal }): Promise<EventOf<'evaluation'>> {
  const prepared = await prepareRun(run, { pretrained: false });
  try {
    const { executor, program, dataset, parameters, experiment } = prepared;
    await keepVocabulary(run, dataset.vocabulary);
    await readFinalModel(run, parameters);
    const result = await evaluateSplit(executor, program, dataset.test, signal);
    const { steps } = experiment.training;
    return { type: 'evaluation', step: steps, time: Date.now(), split: 'test', ...result, moment: 'final' };
  } finally {
    await prepared.dispose();
  }
}

async function prepareRun(run: Run, options: Parameters<typeof prepare>[2]): Promise<Prepared> {
  const { experiment: file, overrides } = run.record;
  const source = { file: run.experimentFile, text: await run.experimentText(), overrides };
  const experiment: ExperimentSettings = parseExperiment(source.text, source);
  return withPlaces(source, () => prepare(experiment, dirname(file), options));
}

/** A setting that does not fit gets its place in the file. */
async function withPlaces<R>(source: ExperimentText, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof SettingError ? placed(error, source) : error;
  }
}
