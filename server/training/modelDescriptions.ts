/** @file Descriptions of models, for the editor: of every training, and by themselves. */
import { basename, dirname } from 'node:path';
import { openSampleForm } from '../data/openDataset.ts';
import { describeModel } from '../models/describeModel.ts';
import { loadModel } from '../models/loadModel.ts';
import { hasExtension } from '../models/modelFile.ts';
import { loadOnnxModel } from '../models/onnx/loadOnnxModel.ts';
import { JsonText } from '../protocol/experiment/jsonText.ts';
import type { ModelDescription } from '../protocol/model/modelDescription.ts';
import type { ModelReference } from '../protocol/experiment/schema.ts';
import { parseExperiment } from '../protocol/experiment/parseExperiment.ts';
import { valueAt } from '../protocol/experiment/settingPath.ts';
import { explainSystemError } from '../protocol/systemError.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { readExperiment } from '../runs/loadExperiment.ts';
import { modelSourceOf, writeDescription, type ModelSource } from '../runs/storedDescriptions.ts';

/** The editor does without what cannot be written; a run goes on. */
export async function keepDescription(
  experiment: string,
  { model, data }: ModelSource,
  description: ModelDescription,
): Promise<void> {
  await writeDescription(experiment, { model, data }, description).catch(() => undefined);
}

/**
 * Loads the model of an experiment file, describes it, and keeps the description for the editor. The rest of the file may be
 * wrong: it is being written.
 * @returns the description, where it was written or why it could not be, and why the model was made without its data where these cannot be read
 * @throws UserError where there is no model
 */
export async function describeExperiment(
  file: string,
): Promise<{ description: ModelDescription; path?: string; notKept?: UserError; withoutData?: UserError }> {
  const { text, name } = await readExperiment(file);
  const document = new JsonText(text).value();
  const { model, data } = modelSourceOf(document) ?? parseExperiment(text, { file: name });
  const baseDirectory = dirname(file);
  const opened = await openSampleForm(data, baseDirectory).catch((error: unknown) => {
    // Many models do not ask for their data: they can be described before these are there.
    if (error instanceof UserError) return error;
    throw error;
  });
  const dataset = opened instanceof UserError ? undefined : opened;
  try {
    const samples = dataset && { batchSize: batchSizeOf(document), ...dataset };
    const loaded = await loadModel(model, { baseDirectory, seed: 1, samples });
    const description = await describeModel(loaded, model, dataset?.train.samples);
    loaded.model.dispose();
    const kept = await writeDescription(file, { model, data }, description).catch(asUserError);
    return {
      description,
      ...(kept instanceof UserError ? { notKept: kept } : { path: kept }),
      ...(opened instanceof UserError && { withoutData: opened }),
    };
  } catch (error) {
    if (!(opened instanceof UserError)) throw error;
    // The model may have asked for the data that it did not get.
    const { message, remedy } = opened;
    throw new UserError(message, { ...(remedy !== undefined && { remedy }), exitCode: ExitCode.usage, cause: error });
  } finally {
    await dataset?.close();
  }
}

/** What is assumed of a dimension with a name: of an image's sides, and of a sequence. */
const ASSUMED = { image: 224, sequence: 128 };
/** Rank of a batch of images. */
const IMAGES = 4;

/**
 * Describes a model by itself, without an experiment: a file of any kind that an experiment can name, or a module.
 * @param path absolute
 * @throws UserError where the file is no model, is damaged, or has what is not known here: all of that at once
 */
export async function describeModelFile(path: string): Promise<ModelDescription> {
  const reference = `./${basename(path)}`;
  const loaded = hasExtension(path, '.onnx')
    ? await loadOnnxModel(path, { assume: (rank) => (rank === IMAGES ? ASSUMED.image : ASSUMED.sequence) })
    : await loadModel(reference, { baseDirectory: dirname(path), seed: 1 });
  try {
    const assumedSizes = 'assumedSizes' in loaded ? loaded.assumedSizes : undefined;
    const model: ModelReference = assumedSizes
      ? { onnx: reference, inputs: assumedSizes, batchStatistics: 'trained' }
      : reference;
    return { ...(await describeModel(loaded, model, undefined)), ...(assumedSizes && { assumedSizes }) };
  } finally {
    loaded.model.dispose();
  }
}

/** @throws the error where a user cannot mend it */
function asUserError(error: unknown): UserError {
  const explained = explainSystemError(error, { cannot: 'written' });
  if (explained instanceof UserError) return explained;
  throw error;
}

/** No shape of a weight depends on it, but a model may want to know. */
function batchSizeOf(document: unknown): number {
  const size = valueAt(document, ['training', 'batchSize']);
  return typeof size === 'number' && Number.isInteger(size) && size > 0 ? size : 1;
}
