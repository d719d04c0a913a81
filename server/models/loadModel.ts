/** @file The model that an experiment names: built in, saved by TensorFlow.js or Keras, of an ONNX file, or made by a user's module. */
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { Seeding } from '../formats/random.ts';
import { exportedFunction, importUserModule, userCodeError, type UserModule } from '../modules/userModule.ts';
import { takeLoadedFiles } from '../modules/fileSystem.ts';
import { settled } from '../modules/userCalls.ts';
import type { ModelReference } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { UserError } from '../protocol/userError.ts';
import { builtinModels } from './builtinModels.ts';
import type { BuiltinName } from './builtinNames.ts';
import { dilationWarnings } from './dilationsWithoutEffect.ts';
import { modelExport } from './modelExport.ts';
import { lstmLanguageModel } from './lstmLanguageModel.ts';
import { losses, type Loss } from './losses.ts';
import { loadKerasModel } from './keras/loadKerasModel.ts';
import {
  checkModelReference,
  checkModuleReference,
  checkOnnxReference,
  hasExtension,
  isKerasFile,
} from './modelFile.ts';
import { contextOf, type ModelContext, type ModelSamples } from './modelSamples.ts';
import { loadOnnxModel } from './onnx/loadOnnxModel.ts';
import { correctLayers } from './correctedLayers.ts';
import { withSeededMathRandom } from './seededInitialization.ts';
import { loadTfjsModel } from './tfjsModelFile.ts';

/** One number for each sample, of shape `[samples]`, or the mean over the batch, a scalar. */
export type Metric = (targets: tf.Tensor, outputs: tf.Tensor) => tf.Tensor;

export interface LoadedModel {
  model: tf.LayersModel;
  /** For `"loss": "auto"`. */
  loss?: Loss;
  metrics?: Record<string, Metric>;
  /** The files that the model was made from, absolute: a run keeps copies of them. */
  files: string[];
  /** What a user should know of the model. */
  warnings?: string[];
}

export interface ModelOptions {
  /** Folder of the experiment file, which relative paths start from. */
  baseDirectory: string;
  /** Seed of the initial weights: the same seed gives the same weights. */
  seed: number;
  /** Default: that of new runs. */
  seeding?: Seeding;
  /** What it will be trained on, where that is known. */
  samples?: ModelSamples;
}

const BUILTIN = 'builtin:';

/**
 * @param reference `builtin:NAME`, a built-in model with its sizes, a tfjs `model.json`, an ONNX file, a file of Keras, or a module exporting
 * a model or what makes it
 * @throws UserError when there is no such model, or its module fails
 */
export function loadModel(
  reference: ModelReference,
  { baseDirectory, seed, seeding, samples }: ModelOptions,
): Promise<LoadedModel> {
  return withSeededMathRandom(seed, seeding, async () => {
    const loaded = await load();
    correctLayers(loaded.model);
    return { ...loaded, warnings: [...(loaded.warnings ?? []), ...dilationWarnings(loaded.model)] };
  });

  function load(): LoadedModel | Promise<LoadedModel> {
    if (typeof reference !== 'string') {
      if ('builtin' in reference) return builtin(lstmLanguageModel(reference, samples));
      if ('module' in reference) {
        checkModuleReference(reference.module);
        return createFromModule(resolve(baseDirectory, reference.module), samples, reference.export);
      }
      const { onnx, inputs, batchStatistics, buffers } = reference;
      checkOnnxReference(onnx);
      const frozenStatistics = batchStatistics === 'frozen';
      return loadOnnxModel(resolve(baseDirectory, onnx), { dimensions: inputs, frozenStatistics, buffers, samples });
    }
    if (reference.startsWith(BUILTIN)) return createBuiltin(reference.slice(BUILTIN.length), samples);
    checkModelReference(reference);
    const path = resolve(baseDirectory, reference);
    return loadModelFile(path, samples) ?? createFromModule(path, samples);
  }
}

/**
 * The model of a file that has its layers and its weights.
 * @param path absolute
 * @returns undefined for another file, by its name
 */
export function loadModelFile(path: string, samples: ModelSamples | undefined): Promise<LoadedModel> | undefined {
  if (hasExtension(path, '.onnx')) return loadOnnxModel(path, { samples });
  if (isKerasFile(path)) return loadKerasModel(path);
  return hasExtension(path, '.json') ? loadTfjsModel(path) : undefined;
}

function createBuiltin(name: string, samples: ModelSamples | undefined): LoadedModel {
  const create = isBuiltin(name) ? builtinModels[name] : undefined;
  if (create === undefined)
    throw new SettingError(['model'], `there is no built-in model '${name}'`, {
      remedy: `The built-in models are ${Object.keys(builtinModels)
        .map((known) => BUILTIN + known)
        .join(', ')}.`,
    });
  return builtin(create(samples));
}

function isBuiltin(name: string): name is BuiltinName {
  return Object.hasOwn(builtinModels, name);
}

/** All of them have logits. */
function builtin(model: tf.LayersModel): LoadedModel {
  return { model, loss: losses['sparse-categorical-crossentropy-from-logits'], files: [] };
}

/** @param name of what the module exports, where the experiment says */
async function createFromModule(path: string, samples: ModelSamples | undefined, name?: string): Promise<LoadedModel> {
  const module = await importUserModule(path);
  const { called, made } = modelExport(module, name);
  let model: unknown = made;
  takeLoadedFiles();
  if (typeof made === 'function') {
    try {
      const create = made as (context: ModelContext | undefined) => unknown;
      model = await settled(`${called} of ${path}`, create(samples && contextOf(samples)));
    } catch (error) {
      throw userCodeError(module, called, error);
    }
  }
  const { loss, metrics } = module.exports;
  return {
    model: checkModel(model, path, called),
    ...(loss !== undefined && { loss: exportedFunction(module, 'loss') as Loss }),
    ...(metrics !== undefined && { metrics: checkMetrics(metrics, module) }),
    files: [...module.files, ...takeLoadedFiles()],
  };
}

function checkModel(model: unknown, path: string, called: string): tf.LayersModel {
  if (!(model instanceof tf.LayersModel))
    throw new UserError(`${called} of ${path} returned ${describe(model)}, not a tf.LayersModel.`, {
      remedy: 'Return what tf.sequential(…) or tf.model(…) gives.',
    });
  const inputs = model.inputs as tf.SymbolicTensor[] | undefined; // undefined in an empty tf.sequential()
  if (inputs === undefined || inputs.length === 0)
    throw new UserError(`${called} of ${path} returned a model without layers.`, { remedy: 'Add layers to it.' });
  return model;
}

function checkMetrics(metrics: unknown, { path }: UserModule): Record<string, Metric> {
  const isTable = typeof metrics === 'object' && metrics !== null;
  if (isTable && Object.values(metrics).every((metric) => typeof metric === 'function'))
    return metrics as Record<string, Metric>;
  throw new UserError(`${path} exports 'metrics', which is not a table of functions.`, {
    remedy: 'Export for example: export const metrics = { accuracy: (targets, outputs) => … };',
  });
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return `an object of class ${value.constructor?.name ?? 'null'}`;
}
