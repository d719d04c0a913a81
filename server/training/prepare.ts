/** @file From an experiment to everything that trains: data, model, executor, optimizer, compressor. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs';
import type { Device } from '../compiler/device.ts';
import type { PlannedCompression } from '../compression/plan.ts';
import type { CustomDistortion } from '../compression/methods/custom/custom.ts';
import type { Dataset, OpenOptions } from '../data/dataset.ts';
import { openDataset } from '../data/openDataset.ts';
import { SEEDING, type Seeding } from '../formats/random.ts';
import { describeModel } from '../models/describeModel.ts';
import { loadModel, type LoadedModel } from '../models/loadModel.ts';
import { checkStartReference } from '../models/modelFile.ts';
import { modelWeights } from '../models/modelWeights.ts';
import type { SavedModel } from '../models/thinning/savedLayers.ts';
import { exportedFunction, importUserModule } from '../modules/userModule.ts';
import { placedCompressions } from '../protocol/experiment/compressions.ts';
import type { Experiment, ExperimentSettings } from '../protocol/experiment/schema.ts';
import type { EventOf } from '../protocol/run/events.ts';
import type { ModelDescription } from '../protocol/model/modelDescription.ts';
import { namesRun } from '../protocol/experiment/runReference.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { formatSettingPath, type SettingPath } from '../protocol/experiment/settingPath.ts';
import { threadsProblem } from '../protocol/experiment/threads.ts';
import { unsuitedOptimizer } from '../protocol/experiment/proximalSteps.ts';
import { samplesPerStep, timesInSteps } from '../protocol/experiment/times.ts';
import { readSources, type SourceFile } from '../runs/copySources.ts';
import type { Run } from '../runs/run.ts';
import { mlflowDestination } from '../tracking/mlflow/mlflowDestination.ts';
import { arrangeSamples } from './arrangeSamples.ts';
import { countClasses, withClassCounts, type ClassCounts } from './classCounts.ts';
import { checkSplits } from './checkSplits.ts';
import { checkThinning } from './checkThinning.ts';
import { weightsFileFor } from './finalModel.ts';
import { finishedRun } from './finishedRun.ts';
import { compressionsWith, LiveSettings } from './liveSettings.ts';
import { checkVocabulary } from './runVocabulary.ts';
import { loadWeights } from './start/loadWeights.ts';
import { loadTeacher } from './teacher.ts';
import { thinnedModel } from './thinnedModel.ts';
import { createTrainer, type Trainer } from './trainer.ts';
import { unfitModel } from './unfitModel.ts';

/** All that trains a model. A change of the model gives another one. */
export interface Prepared extends Trainer {
  /** The experiment, whose settings a user may change during training. */
  readonly live: LiveSettings;
  /** How all random numbers of the run are seeded. */
  readonly seeding: Seeding;
  readonly dataset: Dataset;
  /** Training samples of each class, where they had to be counted. */
  readonly classCounts: ClassCounts | undefined;
  /** The compressions as the run began with them. */
  readonly compressions: readonly PlannedCompression[];
  /** Layers of the model where a thinning has made it smaller, as `modelTopology` gives them; undefined for the model as it was loaded. */
  readonly topology: SavedModel | undefined;
  /** Shapes of the weights of the model as it was loaded, by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
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
  /**
   * Trains another model in the place of this one, which is disposed of with its executor. Its weights are those of the model; the optimizer
   * and the compressor begin anew, with the settings that are in effect.
   */
  replaceModel(model: LayersModel, topology: SavedModel): Promise<Prepared>;
  /** Disposes of everything, also of models that have replaced the first one. */
  dispose(): Promise<void>;
}

export interface PrepareOptions extends OpenOptions {
  /** True where `start` is to be loaded: not where other weights will be restored. */
  readonly pretrained: boolean;
  /** True where the model is to be trained. Without that it needs no teacher. */
  readonly trains: boolean;
  /** That of the checkpoint from which a run goes on. */
  readonly seeding?: Seeding | undefined;
  /** The device that the steps before that checkpoint were done on. */
  readonly device?: Device | undefined;
  /** The run that is prepared, where there is one already. */
  readonly run?: Run;
  /** Training steps that the run has done; default: 0. */
  readonly done?: number;
  /** Layers of the model where a thinning has made it smaller; undefined for the model as it is loaded. */
  readonly topology?: SavedModel | undefined;
}

/**
 * @param directory of the experiment file, which relative paths start from
 * @throws UserError for whatever does not fit together, SettingError where one setting does not
 */
export async function prepare(
  { sweep: _, target: __, ...settings }: ExperimentSettings,
  directory: string,
  { pretrained, trains, seeding = SEEDING, device, run, done = 0, topology, ...opening }: PrepareOptions,
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
    // Before anything is made: a run would train without being sent.
    if (trains && settings.logging?.mlflow) mlflowDestination(settings.logging.mlflow, '');
    const asOpened = await openDataset(data, directory, opening);
    opened.push(() => asOpened.close());
    warnings.push(...(asOpened.warnings ?? []));
    for (const split of [asOpened.validation, asOpened.test])
      if (split?.warning !== undefined) warnings.push(split.warning);
    const ofData = await readSources(asOpened.files ?? []);
    checkSplits(settings, asOpened);
    const experiment = timesInSteps(settings, asOpened.stepsPerEpoch(samplesPerStep(settings.training)));
    const { training } = experiment;

    const whole = await loadModel(model, {
      baseDirectory: directory,
      seed,
      seeding,
      samples: { batchSize, ...asOpened },
    });
    const arranged = arrangeSamples(whole.model, asOpened, unfitModel);
    /** What is replaced when the model is. */
    const held: { model: LayersModel; disposeTrainer?: (() => Promise<void>) | undefined } = { model: whole.model };
    opened.push(() => held.model.dispose());
    const classCounts = await countClasses(arranged, whole, training, { ...opening, trains, run });
    const dataset = withClassCounts(arranged, classCounts);
    const shapes = new Map(modelWeights(whole.model).map(({ name, shape }) => [name, shape]));
    const description = await describeModel(whole, model, dataset.train.samples);
    const loaded = topology ? await thinnedModel(whole, topology) : whole;
    held.model = loaded.model;
    const sources = [...ofData, ...(await readSources(loaded.files))];
    warnings.push(...(loaded.warnings ?? []));
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

    const live = new LiveSettings(experiment);
    let deviceBefore = device;
    opened.push(() => held.disposeTrainer?.());
    const prepareModel = async (loaded: LoadedModel, topology: SavedModel | undefined): Promise<Prepared> => {
      const { experiment } = live;
      const created = await createTrainer(loaded, {
        experiment,
        directory,
        dataset,
        seeding,
        teacher,
        compressions: compressionsWith(experiment, compressions),
        trains,
        deviceBefore,
      });
      held.disposeTrainer = created.dispose;
      deviceBefore = created.trainer.executor.device;
      return {
        ...created.trainer,
        live,
        seeding,
        dataset,
        classCounts,
        compressions,
        topology,
        shapes,
        warnings: [...warnings, ...created.warnings],
        sources: withoutRepetition(sources),
        teacher: teacher?.run,
        pretrained: began,
        description,
        async replaceModel(smaller, itsTopology) {
          const old = { ...held };
          held.disposeTrainer = undefined;
          held.model = smaller;
          await old.disposeTrainer?.();
          old.model.dispose();
          return prepareModel({ ...loaded, model: smaller }, itsTopology);
        },
        dispose,
      };
    };
    const prepared = await prepareModel(loaded, topology);
    if (!trains || experiment.thin === undefined) return prepared;
    const ofThinning = await checkThinning(
      experiment.thin,
      done,
      prepared,
      dataset.stepsPerEpoch(samplesPerStep(training)),
    );
    return { ...prepared, warnings: [...prepared.warnings, ...ofThinning] };
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

/** @throws SettingError when `start` names weights that do not fit, a run that has no final model, a smaller one, or one of another vocabulary */
async function loadStart(
  start: NonNullable<Experiment['start']>,
  { model }: LoadedModel,
  starting: Starting,
): Promise<NonNullable<Prepared['pretrained']> & { warnings: readonly string[] }> {
  const { from, rename } = typeof start === 'string' ? { from: start } : start;
  const setting = typeof start === 'string' ? ['start'] : ['start', 'from'];
  const file = await startFile(from, setting, starting);
  // All weights of a run are wanted: a model that lacks some is another model.
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
  return weightsFileFor(finished, setting);
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

/** A teacher may be made from the same files as its student. */
function withoutRepetition(sources: readonly SourceFile[]): SourceFile[] {
  return [...new Map(sources.map((source) => [source.path, source])).values()];
}
