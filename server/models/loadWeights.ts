/** @file Puts the weights of a file into a model, by name: the start of an experiment from pre-trained weights. */
import * as tf from '@tensorflow/tfjs';
import type { NumericArray } from '../formats/elements.ts';
import { decodeTensors, type StoredTensor } from '../formats/packed/packedFile.ts';
import { readUserFile } from '../modules/readUserFile.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import { hasExtension } from './modelFile.ts';
import { modelWeights } from './modelWeights.ts';
import { loadTfjsModel } from './tfjsModelFile.ts';

/** Names in a message; the rest is counted. */
const NAMED = 5;

/**
 * Every weight of the model must be in the file with the same shape, under the name that {@link modelWeights} gives it.
 *
 * @param path absolute path of a `.safetensors` file or a tfjs `model.json`
 * @param setting that names the file
 * @returns names of tensors in the file that the model has no weight for
 * @throws SettingError that names the weights that do not fit or are not finite, UserError for a file that is missing or damaged; the
 * model is then unchanged
 */
export async function loadWeights(
  model: tf.LayersModel,
  path: string,
  setting: SettingPath = ['start'],
): Promise<{ ignored: string[] }> {
  const stored = hasExtension(path, '.safetensors') ? await readSafetensors(path) : await readTfjsModel(path);
  const weights = modelWeights(model);
  const missing = weights.filter(({ name }) => !stored.has(name)).map(({ name }) => name);
  const names = new Set(weights.map(({ name }) => name));
  const ignored = [...stored.keys()].filter((name) => !names.has(name));
  if (missing.length > 0)
    throw new SettingError(setting, `${path} lacks ${list(missing)} of the model; it has ${list([...stored.keys()])}`, {
      remedy: 'Start from weights of the same model, with the same layer names.',
    });
  const misshapen = weights.flatMap(({ name, shape }) => {
    const found = stored.get(name)?.shape ?? [];
    return found.join() === shape.join() ? [] : [`${name} is [${found.join(', ')}], not [${shape.join(', ')}]`];
  });
  if (misshapen.length > 0)
    throw new SettingError(setting, `weights of ${path} do not have the shapes of the model: ${list(misshapen)}`, {
      remedy: 'Start from weights of the same model, with the same layer sizes.',
    });

  const data = new Map(weights.map(({ name }) => [name, stored.get(name)!.data]));
  const notFinite = weights.flatMap(({ name }) => {
    const found = firstNotFinite(data.get(name)!);
    return found === undefined ? [] : [`${name} has ${found}`];
  });
  if (notFinite.length > 0)
    throw new SettingError(setting, `weights of ${path} are not finite: ${list(notFinite)}`, {
      remedy: 'Start from weights of a training that did not diverge.',
    });

  tf.tidy(() => {
    for (const { name, shape, variable } of weights) {
      const values = float32Of(data.get(name)!);
      variable.assign(tf.tensor(values, shape, variable.dtype));
    }
  });
  return { ignored };
}

/** The first value that is no finite 32-bit number. */
function firstNotFinite(values: ArrayLike<number | bigint>): number | undefined {
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    if (!Number.isFinite(Math.fround(value))) return value;
  }
  return undefined;
}

function float32Of(numbers: NumericArray): Float32Array {
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers, Number);
}

function readSafetensors(path: string): Promise<ReadonlyMap<string, StoredTensor>> {
  const remedy = 'Export the weights again, or correct the path.';
  return readUserFile(path, decodeTensors, remedy);
}

/** Through a model, so that the names are those that it would have here. */
async function readTfjsModel(path: string): Promise<ReadonlyMap<string, StoredTensor>> {
  const { model } = await loadTfjsModel(path);
  const stored = modelWeights(model).map(({ name, shape, variable }): [string, StoredTensor] => [
    name,
    { shape, data: variable.dataSync() },
  ]);
  model.dispose();
  return new Map(stored);
}

function list(names: readonly string[]): string {
  const rest = names.length - NAMED;
  return names.slice(0, NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '') || 'nothing';
}
