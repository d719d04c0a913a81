/** @file The teacher that an experiment names: a run, a file with a model, or a model and the weights to load into it. */
import { existsSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { loadLayersFile } from '../models/layersFile.ts';
import { loadModel, loadModelFile, type LoadedModel } from '../models/loadModel.ts';
import { checkStartReference } from '../models/modelFile.ts';
import { modelWeights, type ModelWeight } from '../models/modelWeights.ts';
import { correctLayers } from '../models/correctedLayers.ts';
import { parseExperiment } from '../protocol/experiment/parseExperiment.ts';
import { namesRun } from '../protocol/experiment/runReference.ts';
import type { DistillationConfig, ModelReference, TrainingConfig } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { isWithin, type SettingPath } from '../protocol/experiment/settingPath.ts';
import { UserError } from '../protocol/userError.ts';
import { changedSources } from '../runs/changedSources.ts';
import { valuesAfter } from '../runs/changedValues.ts';
import { readSources } from '../runs/copySources.ts';
import type { Run } from '../runs/run.ts';
import { finalWeightsFile, readTopology, weightsFileFor } from './finalModel.ts';
import { finishedRun } from './finishedRun.ts';
import { fixedBatchSize, matchInputs } from './matchInputs.ts';
import { inputOrder } from './arrangeSamples.ts';
import { namedLoss } from './objective/dataLoss.ts';
import { outputKindOf } from './objective/outputKind.ts';
import type { Teacher } from './objective/studentLoss.ts';
import { checkDataFacts } from './runDataFacts.ts';
import { loadWeights } from './start/loadWeights.ts';
import { thinnedModel } from './thinnedModel.ts';

const TEACHER: SettingPath = ['distillation', 'teacher'];

/** A teacher, and what it was made from. */
export interface LoadedTeacher extends Teacher {
  /** The files that it was made from, absolute. */
  readonly files: readonly string[];
  /** The run that has its weights, as a path from the folder of the experiment with `/`; undefined where no run has them. */
  readonly run: string | undefined;
}

export interface TeacherOptions {
  /** Folder of the experiment file, which relative paths start from. */
  readonly directory: string;
  readonly dataset: Dataset;
  readonly batchSize: number;
  /** The run that is to learn, where there is one already. */
  readonly student: Run | undefined;
}

/** A model with its weights, before it is known to fit. */
interface Found extends Pick<LoadedTeacher, 'files' | 'run'> {
  readonly loaded: LoadedModel;
  /** As the experiment has it that trained the model. */
  readonly loss: TrainingConfig['loss'];
}

/**
 * The teacher of an experiment. A run that goes on learns from the teacher that it began with, also where `run:NAME` would name a newer
 * run by now.
 * @throws SettingError at the teacher when there is none, it is not trained to an end, or it does not take the samples
 */
export async function loadTeacher({ teacher }: DistillationConfig, options: TeacherOptions): Promise<LoadedTeacher> {
  const { files, run, loaded, loss } = await placedAt(TEACHER, () => find(teacher, options));
  const { model } = loaded;
  const weights = modelWeights(model);
  checkFinite(weights);
  const order = inputOrder(model, options.dataset, misfit);
  const samples = { inputs: order.map((index) => options.dataset.inputs[index]) };
  const inputs = matchInputs(model, samples, misfit).map((input, i) => ({ ...input, sample: order[i] }));
  const fixed = fixedBatchSize(model) ?? options.batchSize;
  if (fixed !== options.batchSize)
    throw misfit(`it takes batches of ${fixed}, and training.batchSize is ${options.batchSize}`);
  const kind = model.outputs.length === 1 ? outputKindOf(model, namedLoss(loaded, { loss })) : undefined;
  if (kind === undefined) throw misfit('it has not one output of logits or of probabilities, one for each class');
  return { model, weights, layers: model.layers, inputs, kind, files, run };
}

async function find(teacher: DistillationConfig['teacher'], options: TeacherOptions): Promise<Found> {
  if (typeof teacher !== 'string') return modelWithWeights(teacher, options);
  if (namesRun(teacher)) return modelOfRun(teacher, options);
  const path = resolve(options.directory, teacher);
  const { batchSize, dataset } = options;
  // The settings have been checked: another file than these has layers.
  const { model, files } = await (loadModelFile(path, { batchSize, ...dataset }) ?? loadLayersFile(path));
  correctLayers(model);
  return { loaded: { model, files }, loss: 'auto', files, run: undefined };
}

async function modelOfRun(reference: string, options: TeacherOptions): Promise<Found> {
  const run = await teachingRun(reference, TEACHER, options);
  const overrides = valuesAfter(run.record, Infinity);
  const { model, training } = parseExperiment(await run.experimentText(), { file: run.experimentFile, overrides });
  const whole = await loadUntrained(model, dirname(run.record.experiment), training.seed, options);
  await checkUnchanged(run, whole);
  const topology = await readTopology(run);
  const loaded = topology ? await thinnedModel(whole, topology) : whole;
  const file = finalWeightsFile(run);
  await loadWeights(loaded.model, file, { setting: TEACHER, complete: true });
  return { loaded, loss: training.loss, files: [...loaded.files, file], run: seenFrom(options.directory, run) };
}

async function modelWithWeights(
  { model, weights }: Exclude<DistillationConfig['teacher'], string>,
  options: TeacherOptions,
): Promise<Found> {
  const { directory } = options;
  const loaded = await placedAt([...TEACHER, 'model'], () => loadUntrained(model, directory, 1, options));
  const setting = [...TEACHER, 'weights'];
  return placedAt(setting, async () => {
    const run = namesRun(weights) ? await teachingRun(weights, setting, options) : undefined;
    if (!run) checkStartReference(weights, setting);
    const file = run ? weightsFileFor(run, setting) : resolve(directory, weights);
    await loadWeights(loaded.model, file, { setting, complete: true });
    return { loaded, loss: 'auto', files: [...loaded.files, file], run: run && seenFrom(directory, run) };
  });
}

/** The run that has a teacher's weights. */
async function teachingRun(
  reference: string,
  setting: SettingPath,
  { directory, dataset, student }: TeacherOptions,
): Promise<Run> {
  const begun = student?.record.teacher;
  if (begun !== undefined && !existsSync(resolve(directory, begun)))
    throw new UserError(`the run began with the teacher ${begun}, which is gone`, {
      remedy: `Restore that folder: the run needs the same teacher to continue. Its weights are in ${student?.sourceFolder}, too.`,
    });
  const known = begun === undefined ? reference : `run:${begun}`;
  const run = await finishedRun(known, setting, { directory, asking: student });
  await checkDataFacts(run, dataset, 'this one learns from it');
  return run;
}

function seenFrom(directory: string, run: Run): string {
  return relative(directory, run.path).replaceAll(sep, '/');
}

function loadUntrained(
  model: ModelReference,
  baseDirectory: string,
  seed: number,
  { batchSize, dataset }: TeacherOptions,
): Promise<LoadedModel> {
  return loadModel(model, { baseDirectory, seed, samples: { batchSize, ...dataset } });
}

/** @throws UserError when a teacher's module is not what it was trained with */
async function checkUnchanged(run: Run, { files }: LoadedModel): Promise<void> {
  const changed = await changedSources(run, await readSources(files));
  if (changed.length === 0) return;
  const names = changed.map(({ path }) => path).join(', ');
  throw new UserError(`the run ${run.id} was not made from ${names} as it is now`, {
    remedy: `Restore what it was made from, which is in ${run.sourceFolder}, or train the teacher again.`,
  });
}

function checkFinite(weights: readonly ModelWeight[]): void {
  for (const { name, variable } of weights) {
    const bad = variable.dataSync().find((value) => !Number.isFinite(value));
    if (bad === undefined) continue;
    throw new SettingError(TEACHER, `it has diverged: ${name} has ${bad}`, {
      remedy: 'Name a teacher whose training did not diverge.',
    });
  }
}

/** The error for a teacher of something else. */
function misfit(reason: string): SettingError {
  return new SettingError(TEACHER, `the teacher does not fit the data: ${reason}`, {
    remedy: 'Name a teacher that takes the same samples, and tells the same classes apart.',
  });
}

/** Errors of a setting's file or run, at the setting. */
async function placedAt<R>(setting: SettingPath, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError) || (error instanceof SettingError && isWithin(error.setting, setting)))
      throw error;
    const reason = error instanceof SettingError ? error.reason : error.message.replace(/\.$/, '');
    throw new SettingError(setting, reason, { remedy: error.remedy, cause: error });
  }
}
