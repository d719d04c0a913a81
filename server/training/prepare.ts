/** @file From an experiment to everything that trains: data, model, executor, optimizer, compressor. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { createExecutor, type CreatedExecutor } from '../compiler/createExecutor.ts';
import { UnsupportedKernel } from '../compiler/import/kernel.ts';
import type { ParameterSet } from '../compiler/parameters.ts';
import type { Executor } from '../compiler/program.ts';
import { Compressor } from '../compression/compressor.ts';
import { planCompression, type CompressionPlan, type PlannedCompression } from '../compression/plan.ts';
import type { CustomDistortion } from '../compression/methods/custom/custom.ts';
import type { CompressibleWeight } from '../compression/targets/targets.ts';
import type { Dataset, OpenOptions } from '../data/dataset.ts';
import { openDataset } from '../data/openDataset.ts';
import { SEEDING, type Seeding } from '../formats/random.ts';
import { describeModel } from '../models/describeModel.ts';
import { loadModel, type LoadedModel } from '../models/loadModel.ts';
import { checkStartReference } from '../models/modelFile.ts';
import { modelWeights, type ModelWeight } from '../models/modelWeights.ts';
import { arenaBytes } from '../memory/arena.ts';
import { exportedFunction, importUserModule } from '../modules/userModule.ts';
import { createOptimizer, optimizerArenaBytes, supportsRowGradients, type Optimizer } from '../optimizers/optimizer.ts';
import { placedCompressions } from '../protocol/experiment/compressions.ts';
import type { Experiment, ExperimentSettings } from '../protocol/experiment/schema.ts';
import type { EventOf } from '../protocol/run/events.ts';
import type { ModelDescription } from '../protocol/model/modelDescription.ts';
import { namesRun } from '../protocol/experiment/runReference.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { formatSettingPath, type SettingPath } from '../protocol/experiment/settingPath.ts';
import { threadsProblem } from '../protocol/experiment/threads.ts';
import { unsuitedOptimizer } from '../protocol/experiment/proximalSteps.ts';
import { timesInSteps } from '../protocol/experiment/times.ts';
import { readSources, type SourceFile } from '../runs/copySources.ts';
import type { Run } from '../runs/run.ts';
import { BestModel } from './bestModel.ts';
import { ConstrainedWeights } from './constrainedWeights.ts';
import { evaluationBatchSize } from './evaluateSplit.ts';
import { finalWeightsFile } from './finalModel.ts';
import { finishedRun } from './finishedRun.ts';
import { LiveSettings } from './liveSettings.ts';
import { modelProgram, type ModelProgram } from './modelProgram.ts';
import { checkVocabulary } from './runVocabulary.ts';
import { loadWeights } from './start/loadWeights.ts';
import { loadTeacher } from './teacher.ts';

export interface Prepared {
  /** The experiment, whose settings a user may change during training. */
  readonly live: LiveSettings;
  /** How all random numbers of the run are seeded. */
  readonly seeding: Seeding;
  readonly dataset: Dataset;
  /** The model with what its module says of it. */
  readonly loaded: LoadedModel;
  readonly program: ModelProgram;
  readonly executor: Executor;
  readonly parameters: ParameterSet;
  readonly optimizer: Optimizer;
  readonly compressor: Compressor | undefined;
  /** The compressions as the run began with them. */
  readonly compressions: readonly PlannedCompression[];
  readonly constraints: ConstrainedWeights;
  /** Keeps the best model; undefined where the experiment keeps the last one. */
  readonly best: BestModel | undefined;
  /** All weights, compressed or not, in the model's order. */
  readonly weights: readonly CompressibleWeight[];
  /** Messages for the user. */
  readonly warnings: readonly string[];
  /** The user's files that the experiment depends on. */
  readonly sources: readonly SourceFile[];
  /** The run that has the weights of the teacher, as a path from the folder of the experiment. */
  readonly teacher: string | undefined;
  /** The weights that were loaded to start from; undefined where none were. */
  readonly pretrained: Omit<EventOf<'pretrained'>, 'type' | 'step' | 'time'> | undefined;
  /** Description of the model as it was loaded, for the editor. */
  readonly description: ModelDescription;
  dispose(): Promise<void>;
}

export interface PrepareOptions extends OpenOptions {
  /** True where `start` is to be loaded: not where other weights will be restored. */
  readonly pretrained: boolean;
  /** True where the model is to be trained. Without that it needs no teacher. */
  readonly trains: boolean;
  /** That of the checkpoint from which a run goes on. */
  readonly seeding?: Seeding | undefined;
  /** The run that is prepared, where there is one already. */
  readonly run?: Run;
}

/**
 * @param directory of the experiment file, which relative paths start from
 * @throws UserError for whatever does not fit together, SettingError where one setting does not
 */
export async function prepare(
  settings: ExperimentSettings,
  directory: string,
  { pretrained, trains, seeding = SEEDING, run, ...opening }: PrepareOptions,
): Promise<Prepared> {
  const { model, start, data, distillation } = settings;
  const { seed, batchSize } = settings.training;
  const warnings: string[] = [];
  let began: Prepared['pretrained'];
  const opened: (() => unknown)[] = [];
  const dispose = async () => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    warnings.push(...checkThreads(settings, { isNew: pretrained }));
    const dataset = await openDataset(data, directory, opening);
    opened.push(() => dataset.close());
    warnings.push(...(dataset.warnings ?? []));
    for (const split of [dataset.validation, dataset.test])
      if (split?.warning !== undefined) warnings.push(split.warning);
    const ofData = await readSources(dataset.files ?? []);
    checkEpoch(settings, dataset);
    checkKeepBest(settings, dataset);
    const experiment = timesInSteps(settings, dataset.stepsPerEpoch(batchSize));
    const { training } = experiment;

    const loaded = await loadModel(model, {
      baseDirectory: directory,
      seed,
      seeding,
      samples: { batchSize, ...dataset },
    });
    const sources = [...ofData, ...(await readSources(loaded.files))];
    opened.push(() => loaded.model.dispose());
    if (pretrained && start !== undefined) {
      const { warnings: told, ...weights } = await loadStart(start, loaded, { directory, dataset, run });
      warnings.push(...told.map((text) => `start: ${text}`));
      began = weights;
    }
    const { compressions, files } = await loadCompressions(experiment, directory);
    sources.push(...(await readSources(files)));

    for (const { settings } of compressions) {
      const warning = unsuitedOptimizer(settings.method, training.optimizer.type);
      if (warning !== undefined) warnings.push(`training.optimizer: ${warning}.`);
    }

    const teacher =
      distillation && trains
        ? await loadTeacher(distillation, { directory, dataset, batchSize, student: run })
        : undefined;
    if (teacher) opened.push(() => teacher.model.dispose());
    sources.push(...(await readSources(teacher?.files ?? [])));

    const program = modelProgram(
      loaded,
      dataset,
      training,
      distillation && teacher && { config: distillation, teacher },
    );
    const named = modelWeights(loaded.model);
    const plan =
      compressions.length > 0 ? planCompression(compressions, named, { steps: training.steps, seed }) : undefined;
    const { executor, parameters, warning } = await createProgramExecutor(experiment, program, dataset, {
      directory,
      seeding,
      plan,
    });
    opened.push(() => executor.dispose());
    if (warning !== undefined) warnings.push(warning);

    const weights = compressibleWeights(named, parameters);
    const compressor = plan && new Compressor(plan, weights, (length) => parameters.arena.float32(length));
    const trained = [
      ...parameters.list.filter(({ name, trainable }) => trainable && !plan?.replaced.has(name)),
      ...(compressor?.trained ?? []),
    ];
    const optimizer = createOptimizer(training.optimizer, training.clip, parameters.arena, trained);
    const constraints = await ConstrainedWeights.create(program.weights, parameters, compressor);
    warnings.push(...constraints.warnings);
    return {
      live: new LiveSettings(experiment),
      seeding,
      dataset,
      loaded,
      program,
      executor,
      parameters,
      optimizer,
      compressor,
      compressions,
      constraints,
      best: training.keepBest ? new BestModel(parameters) : undefined,
      weights,
      warnings,
      sources: withoutRepetition(sources),
      teacher: teacher?.run,
      pretrained: began,
      description: await describeModel(loaded, settings.model, dataset.train.samples),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The compressions with the functions of the user's that they call, and the files that these are in. */
async function loadCompressions(
  experiment: Experiment,
  directory: string,
): Promise<{ compressions: PlannedCompression[]; files: string[] }> {
  const files: string[] = [];
  const compressions: PlannedCompression[] = [];
  for (const placed of placedCompressions(experiment)) {
    if (!('module' in placed.settings)) {
      compressions.push(placed);
      continue;
    }
    const module = await importUserModule(resolve(directory, placed.settings.module));
    files.push(...module.files);
    compressions.push({ ...placed, custom: exportedFunction(module, 'distort') as CustomDistortion });
  }
  return { compressions, files };
}

interface Starting {
  readonly directory: string;
  readonly dataset: Dataset;
  readonly run: Run | undefined;
}

/** @throws SettingError when `start` names weights that do not fit, a run that has no final model, or one of another vocabulary */
async function loadStart(
  start: NonNullable<Experiment['start']>,
  { model }: LoadedModel,
  starting: Starting,
): Promise<NonNullable<Prepared['pretrained']> & { warnings: readonly string[] }> {
  const { from, rename } = typeof start === 'string' ? { from: start } : start;
  const setting = typeof start === 'string' ? ['start'] : ['start', 'from'];
  const file = await startFile(from, setting, starting);
  // Whoever names a run means the same model.
  const complete = namesRun(from) && rename === undefined;
  return { from, ...(await loadWeights(model, file, { setting, rename, complete })) };
}

async function startFile(from: string, setting: SettingPath, { directory, dataset, run }: Starting): Promise<string> {
  if (!namesRun(from)) {
    checkStartReference(from, setting);
    return resolve(directory, from);
  }
  const finished = await finishedRun(from, setting, { directory, asking: run });
  await checkVocabulary(finished, dataset.vocabulary, 'this one starts from it');
  return finalWeightsFile(finished);
}

/**
 * @param options.isNew not a run that has begun, maybe on a machine with more cores: its settings cannot be mended any more
 * @returns warnings
 * @throws SettingError when the threads would take the whole machine
 */
function checkThreads({ training: { threads } }: ExperimentSettings, { isNew }: { isNew: boolean }): string[] {
  const problem = threads === undefined ? undefined : threadsProblem(threads, availableParallelism());
  if (!problem) return [];
  const setting = ['training', 'threads'];
  if (problem.isError && isNew)
    throw new SettingError(setting, problem.message, { remedy: 'Leave it out: DeepTwist then chooses the number.' });
  return [`${formatSettingPath(setting)}: ${problem.message}.`];
}

/** @throws SettingError when an epoch has no batch, or is of unknown length and a setting counts epochs */
function checkEpoch({ training }: ExperimentSettings, dataset: Dataset): void {
  const steps = dataset.stepsPerEpoch(training.batchSize);
  if (steps === 0) {
    throw new SettingError(
      ['training', 'batchSize'],
      `there are only ${dataset.train.samples} training samples, got ${training.batchSize}`,
      { remedy: 'Choose a smaller batch size.' },
    );
  }
  if (steps === undefined && training.learningRateSchedule.type === 'after-epoch') {
    throw new SettingError(['training', 'learningRateSchedule'], 'the length of an epoch of the data is unknown', {
      remedy: 'Export the number of samples from the data module (samples.train), or use the schedule "step".',
    });
  }
}

/** @throws SettingError when there is nothing to choose by */
function checkKeepBest({ training }: ExperimentSettings, { validation }: Dataset): void {
  if (!training.keepBest) return;
  const setting = ['training', 'keepBest'];
  if (validation === undefined) {
    throw new SettingError(setting, 'the best model is chosen by the validation split, and the data have none', {
      remedy: 'Add a validation split, or leave it out.',
    });
  }
}

/** @throws SettingError when the program was to be compiled and cannot be */
async function createProgramExecutor(
  { training }: Experiment,
  program: ModelProgram,
  { test }: Dataset,
  { directory, seeding, plan }: { directory: string; seeding: Seeding; plan: CompressionPlan | undefined },
): Promise<CreatedExecutor> {
  const instead = plan?.trained.map(({ length }) => length) ?? [];
  const insteadBytes = 2 * instead.reduce((bytes, length) => bytes + arenaBytes(length), 0);
  try {
    return await createExecutor(program, training.executor, directory, {
      batchSize: training.batchSize,
      evaluationBatchSize: evaluationBatchSize(program, test),
      seed: training.seed,
      seeding,
      threads: training.threads,
      rowGradients: supportsRowGradients(training.optimizer) && !plan?.denseGradients,
      extraBytes: (lengths) => insteadBytes + optimizerArenaBytes(training.optimizer, [...lengths, ...instead]),
    });
  } catch (error) {
    if (!(error instanceof UnsupportedKernel)) throw error;
    const { kernel, layer, message } = error;
    const where = layer === undefined ? '' : ` of the layer '${layer}'`;
    throw new SettingError(['training', 'executor'], `the operation ${kernel}${where} cannot be compiled: ${message}`, {
      remedy: 'Set training.executor to "eager", which is slower, or do without the operation.',
      cause: error,
    });
  }
}

/** A teacher may be made from the same files as its student. */
function withoutRepetition(sources: readonly SourceFile[]): SourceFile[] {
  return [...new Map(sources.map((source) => [source.path, source])).values()];
}

/** The weights of a model where an executor has them. */
export function compressibleWeights(weights: readonly ModelWeight[], parameters: ParameterSet): CompressibleWeight[] {
  return weights.map(({ name, layer, weight, layerClass, inputLayer }) => {
    const { shape, value, gradient } = parameters.byName.get(name)!;
    return {
      name,
      layer,
      weight,
      layerClass,
      inputLayer,
      shape,
      values: value,
      ...(gradient instanceof Float32Array && gradient.length > 0 && { gradient }),
    };
  });
}
