/** @file Running experiments in run folders: what the command line and the sidecar call. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { PackedWeight } from '../formats/packed/packedFile.ts';
import type { ExperimentSettings } from '../protocol/experiment/schema.ts';
import type { EventOf } from '../protocol/run/events.ts';
import { parseExperiment, placed, type ExperimentText } from '../protocol/experiment/parseExperiment.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { UserError } from '../protocol/userError.ts';
import { readLatestCheckpoint, type Checkpoint } from '../runs/checkpoints.ts';
import { valuesAfter } from '../runs/changedValues.ts';
import { changedSources, refuseChanged, replaceSources } from '../runs/changedSources.ts';
import { copySources } from '../runs/copySources.ts';
import { createRun } from '../runs/createRun.ts';
import { explainDiskError } from '../runs/disk.ts';
import { loadExperiment, readExperiment } from '../runs/loadExperiment.ts';
import { lockRun } from '../runs/lockRun.ts';
import type { Run } from '../runs/run.ts';
import { failure, recordEnd, type EndState, type TrainingEnd } from './ending.ts';
import { deviceOf, restoreCheckpoint, seedingOf, topologyOf } from './checkpointState.ts';
import { keepDescription } from './modelDescriptions.ts';
import { evaluateSplit } from './evaluateSplit.ts';
import { packedWeights, readFinalModel, readTopology } from './finalModel.ts';
import { prepare, type Prepared, type PrepareOptions } from './prepare.ts';
import { keepDataFacts } from './runDataFacts.ts';
import { trainInFolder, type Resumption, type TrainingObserver } from './trainInFolder.ts';

// Without it, TensorFlow.js advertises tfjs-node on the terminal and checks values for debugging.
tf.enableProdMode();

export { describeExperiment, describeModelFile } from './modelDescriptions.ts';

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
  const { file, overrides, out, signal, onDecoded } = options;
  const { text, name, experiment } = await loadExperiment(file, overrides);
  const source = { file: name, text, overrides };
  const prepared = await withPlaces(source, () =>
    prepare(experiment, dirname(file), { pretrained: true, trains: true, signal, onDecoded }),
  );
  try {
    await keepDescription(file, experiment, prepared.description);
    const run = await createRun({ experiment: file, text, overrides, sources: prepared.sources, out });
    const lock = await lockRun(run).catch(async (error: unknown) => {
      await rm(run.path, { recursive: true, force: true }).catch(() => undefined);
      throw explainDiskError(error, run.path, 0, { begun: false });
    });
    let end: TrainingEnd = { state: 'failed' };
    try {
      end = await trainInFolder(run, prepared, options);
    } finally {
      await lock.release(end);
    }
    return { run, state: end.state };
  } finally {
    await prepared.dispose();
  }
}

/**
 * Goes on from the newest checkpoint that is whole, or from the start when there is none.
 * @param options.changedFiles whether to go on where the user's modules are not what the run was made from any more
 * @returns as {@link runExperiment}
 * @throws UserError for what keeps the run from going on, which leaves it as it is
 */
export async function resumeRun(
  options: { run: Run; changedFiles?: boolean } & TrainingObserver,
): Promise<TrainingOutcome> {
  const { run, changedFiles = false, signal, onDecoded } = options;
  const lock = await lockRun(run);
  let end: TrainingEnd | undefined;
  try {
    const resumption = await readLatestCheckpoint(run);
    const { checkpoint } = resumption;
    const prepared = await prepareRun(run, { ...goingOnFrom(checkpoint), trains: true, signal, onDecoded });
    try {
      const changed = await changedSources(run, prepared.sources);
      if (!changedFiles) refuseChanged(run, changed, 'resume');
      const warnings = [...resumption.warnings];
      if (changed.length > 0) warnings.push(await replaceSources(run, changed, checkpoint?.step ?? 0));
      end = await trainInFolder(run, prepared, options, { ...resumption, warnings });
    } finally {
      await prepared.dispose();
    }
    return { run, state: end.state };
  } finally {
    await lock.release(end);
  }
}

/**
 * Trains in a run folder that was made before, from the start or from the newest checkpoint that is whole. The caller has
 * locked it. Whatever happens is recorded as an event, also what keeps the run from beginning.
 */
export async function trainRun(options: { run: Run; resume: boolean } & TrainingObserver): Promise<TrainingEnd> {
  const { run, resume, signal, onDecoded } = options;
  let resumption: Resumption | undefined;
  let prepared: Prepared | undefined;
  try {
    const checkpoint = resume ? await readLatestCheckpoint(run) : undefined;
    resumption = checkpoint;
    const file = resume ? run.experimentFile : run.record.experiment;
    const preparing = prepareRun(
      run,
      { ...goingOnFrom(checkpoint?.checkpoint), trains: true, signal, onDecoded },
      file,
    );
    prepared = await unlessAborted(preparing, signal);
    await keepDescription(run.record.experiment, prepared.live.experiment, prepared.description);
    if (resume) refuseChanged(run, await changedSources(run, prepared.sources), 'resume');
    if (!existsSync(run.sourceFolder)) await copySources(run, prepared.sources);
  } catch (error) {
    await prepared?.dispose();
    const checkpoint = resumption?.checkpoint;
    const step = checkpoint?.step ?? 0;
    if (signal.aborted) return recordEnd(run, { type: 'stopped', step }, options);
    const failed = failure(error, step, run);
    // The settings that the run has trained with until there are not what keeps it from going on.
    return recordEnd(run, checkpoint ? { ...failed, fault: undefined } : failed, options);
  }
  try {
    return await trainInFolder(run, prepared, options, resumption);
  } finally {
    await prepared.dispose();
  }
}

/** What comes of it when the signal has aborted is disposed of. */
async function unlessAborted(preparing: Promise<Prepared>, signal: AbortSignal): Promise<Prepared> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([preparing, aborted]);
  } catch (error) {
    preparing.then((prepared) => prepared.dispose()).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort!);
  }
}

/**
 * Evaluates the final model as it is stored in the run folder, on the test set. Records nothing.
 * @param options.changedFiles as for {@link resumeRun}
 * @throws UserError when it cannot be
 */
export async function evaluateRun(options: FinalModelOptions): Promise<EventOf<'evaluation'>> {
  return withFinalModel(options, 'evaluate', async ({ executor, program, dataset, live }) => {
    const { notFinite: _, ...evaluation } = await evaluateSplit(executor, program, dataset, dataset.test);
    const { steps } = live.experiment.training;
    return { type: 'evaluation', step: steps, time: Date.now(), split: 'test', ...evaluation, moment: 'final' };
  });
}

/** The commands that work with the model of a run. */
type ModelCommand = 'evaluate' | 'export' | 'thin' | 'benchmark' | 'sensitivity';

export interface FinalModelOptions {
  run: Run;
  changedFiles?: boolean | undefined;
  /** When it aborts, the data are not decoded to their end. */
  signal?: AbortSignal | undefined;
}

/**
 * Prepares a run that is finished, its weights those of the final model as it is stored, and disposes of it after `use`.
 * @param command that the user gave, for messages
 * @throws UserError when the run has no final model, or its modules have changed
 */
export async function withFinalModel<R>(
  options: FinalModelOptions,
  command: ModelCommand,
  use: (prepared: Prepared) => Promise<R>,
): Promise<R> {
  const { run } = options;
  const work = async (prepared: Prepared) => {
    await readFinalModel(run, prepared.parameters);
    return use(prepared);
  };
  return withPreparedRun(options, command, work, {
    pretrained: false,
    done: Infinity,
    topology: await readTopology(run),
  });
}

/**
 * Prepares a run and disposes of it after `use`. Its weights are any.
 * @throws UserError when its modules have changed
 */
export async function withPreparedRun<R>(
  { run, changedFiles = false, signal }: FinalModelOptions,
  command: ModelCommand,
  use: (prepared: Prepared) => Promise<R>,
  goingOn: Omit<Parameters<typeof prepareRun>[1], 'trains'> = { pretrained: false, done: Infinity },
): Promise<R> {
  const prepared = await prepareRun(run, { ...goingOn, signal, trains: false });
  try {
    if (!changedFiles) refuseChanged(run, await changedSources(run, prepared.sources), command);
    await keepDataFacts(run, prepared.dataset);
    return await use(prepared);
  } finally {
    await prepared.dispose();
  }
}

/** What is known of a checkpoint besides its weights as floats. */
export interface CheckpointModel {
  /** Steps that were done. */
  readonly step: number;
  /** True where the last step was followed by a distortion. */
  readonly afterDistortion: boolean;
  /** The weights in the form that the compression left, by name, as far as they still are so. */
  readonly compressed: ReadonlyMap<string, PackedWeight> | undefined;
  /** Why newer checkpoints were passed over. */
  readonly warnings: readonly string[];
}

/**
 * Prepares a run with the weights of its newest checkpoint that is whole, and disposes of it after `use`.
 * @throws UserError when there is none, or its modules have changed
 */
export async function withCheckpoint<R>(
  options: FinalModelOptions,
  command: ModelCommand,
  use: (prepared: Prepared, model: CheckpointModel) => Promise<R>,
): Promise<R> {
  const { run } = options;
  const { checkpoint, warnings } = await readLatestCheckpoint(run);
  if (!checkpoint)
    throw new UserError(`The run ${run.id} has no checkpoint that can be read.`, {
      remedy:
        run.record.state === 'finished'
          ? 'Leave --checkpoint out: the run is finished, and has its final model.'
          : `Go on with it: deeptwist resume ${run.id}. A run that stops writes one.`,
    });
  return withPreparedRun(
    options,
    command,
    async (prepared) => {
      const { afterDistortion } = restoreCheckpoint(checkpoint, prepared, run.checkpointsFolder);
      const { parameters, compressor } = prepared;
      const compressed = compressor && packedWeights(parameters, compressor.packed()).weights;
      return use(prepared, { step: checkpoint.step, afterDistortion, compressed, warnings });
    },
    goingOnFrom(checkpoint),
  );
}

/**
 * Prepares an experiment and disposes of it after `use`. Its weights are any.
 * @param file path of the experiment
 * @param options.pretrained true where the weights are those that the experiment starts from
 * @param options.overrides `path=value` texts, applied to the file's settings
 * @param options.text in the place of what the file says now
 * @param options.signal as for {@link FinalModelOptions}
 */
export async function withExperiment<R>(
  file: string,
  use: (prepared: Prepared) => Promise<R>,
  {
    pretrained = false,
    overrides = [],
    text: given,
    signal,
  }: {
    pretrained?: boolean;
    overrides?: readonly string[] | undefined;
    text?: string | undefined;
    signal?: AbortSignal;
  } = {},
): Promise<R> {
  const { text, name } = given === undefined ? await readExperiment(file) : { text: given, name: file };
  const source = { file: name, text, overrides };
  const experiment = parseExperiment(text, source);
  const prepared = await withPlaces(source, () =>
    prepare(experiment, dirname(file), { pretrained, signal, trains: false }),
  );
  try {
    return await use(prepared);
  } finally {
    await prepared.dispose();
  }
}

/**
 * @param options.done steps that were done: settings that were changed until then are in effect
 * @param named what messages call the experiment file: the copy in the run folder, or what it is a copy of
 */
async function prepareRun(
  run: Run,
  options: Omit<PrepareOptions, 'run'> & { done: number },
  named = run.experimentFile,
): Promise<Prepared> {
  const source = { file: named, text: await run.experimentText(), overrides: valuesAfter(run.record, options.done) };
  const file = run.record.experiment;
  const experiment: ExperimentSettings = parseExperiment(source.text, source);
  return withPlaces(source, () => prepare(experiment, dirname(file), { ...options, run }));
}

/** How a run is prepared that goes on from a checkpoint; without one, from the start. */
function goingOnFrom(checkpoint: Checkpoint | undefined) {
  return {
    pretrained: checkpoint === undefined,
    done: checkpoint?.step ?? 0,
    ...(checkpoint && {
      seeding: seedingOf(checkpoint),
      topology: topologyOf(checkpoint),
      device: deviceOf(checkpoint),
    }),
  };
}

/** A setting that does not fit gets its place in the file. */
async function withPlaces<R>(source: ExperimentText, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof SettingError ? placed(error, source) : error;
  }
}
