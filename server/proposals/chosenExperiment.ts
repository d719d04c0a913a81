/** @file The experiment file that a user has chosen the parts of. Pure. */
import { dirname, join } from 'node:path';
import {
  EVERY_LAYER,
  FIRST_BATCH,
  roundBelow,
  type FirstLayer,
  type Settings,
} from '../protocol/experiment/firstExperiment.ts';
import { firstLoss, firstLosses, type FirstLosses } from '../protocol/experiment/firstLoss.ts';
import { lossFacts } from '../protocol/experiment/lossFacts.ts';
import { RUN } from '../protocol/experiment/runReference.ts';
import type { ChosenExperiment, ChosenModel, ChosenTeacher, FoundData } from '../protocol/wire/proposals.ts';
import { describedLayers, writtenLayers } from './describedLayers.ts';
import { experimentText } from './experimentText.ts';
import { dataSetting, targetsFor } from './foundData.ts';
import { relativePath } from '../runs/relativePath.ts';

export function chosenExperimentText({
  folder,
  model,
  data,
  pixels,
  method,
  layers,
  teacher,
  steps,
}: ChosenExperiment): string {
  const fromHere = (path: string) => relativePath(folder, path);
  const loss = lossFor(model, data);
  const batchSize = batchSizeFor(model, data);
  return experimentText({
    model: modelSetting(model, fromHere),
    ...(loss !== undefined && { loss }),
    data: dataSetting(data, fromHere, model.described, pixels),
    method,
    layers: writtenLayers(layers, layersOf(model)),
    ...(teacher && { teacher: teacherSetting(teacher, folder) }),
    ...(steps !== undefined && { steps }),
    ...(data.samples !== undefined && { samples: data.samples }),
    ...(batchSize !== undefined && { batchSize }),
  });
}

/** The layers that can be compressed; all of them as one glob where their names are not known. */
export function layersOf({ model, described }: ChosenModel): readonly FirstLayer[] {
  const found = described ? describedLayers(described) : [];
  return found.length > 0 ? found : (model.layers ?? [EVERY_LAYER]);
}

function modelSetting({ model, described }: ChosenModel, fromHere: (path: string) => string): string | Settings {
  const { reference, exportName } = model;
  if (reference.startsWith('builtin:')) return reference;
  const path = fromHere(reference);
  if (exportName !== undefined) return { module: path, export: exportName };
  return described?.assumedSizes ? { onnx: path, inputs: described.assumedSizes } : path;
}

/** The loss that outputs and targets ask for; undefined where the model brings one. */
function lossFor({ model, described }: ChosenModel, data: FoundData): string | FirstLosses | undefined {
  if (!described) {
    if (model.loss === undefined) return undefined;
    const activation = lossFacts[model.loss].outputs === 'probabilities' ? 'softmax' : 'other';
    const targets = data.targets === 'one-hot' && activation === 'other' ? 'numbers' : data.targets;
    return targets === undefined ? model.loss : firstLoss({ shape: [], activation }, targets);
  }
  return described.hasLoss === true ? undefined : firstLosses(described.outputs, targetsFor(data, described));
}

/** The batch size of a model that computes one alone, or of fewer samples than the usual batch has. */
function batchSizeFor({ described }: ChosenModel, { samples }: FoundData): number | undefined {
  const fixed = described?.inputs?.at(0)?.shape.at(0) ?? undefined;
  if (fixed !== undefined) return fixed;
  return samples !== undefined && samples > 0 && samples < FIRST_BATCH ? roundBelow(samples) : undefined;
}

/**
 * `distillation.teacher` of an experiment. A run in sight of its folder goes by the name of its experiment, so that the newest one
 * teaches; another one by its path.
 * @param folder of the experiment, absolute
 */
export function teacherSetting(teacher: ChosenTeacher, folder: string): string {
  if ('file' in teacher) return relativePath(folder, teacher.file);
  const { run, name, isNameUnique } = teacher;
  const isInSight = dirname(run) === join(folder, '.deeptwist', 'runs');
  return RUN + (isInSight && isNameUnique ? name : relativePath(folder, run));
}
