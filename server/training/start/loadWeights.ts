/** @file Puts the weights of a file into a model: the start of an experiment from pre-trained weights. */
import * as tf from '@tensorflow/tfjs';
import { countedPlaces } from '../../models/keras/countedPlaces.ts';
import {
  differencesFromPytorch,
  fromPytorch,
  pytorchWeights,
  type RenamedWeight,
} from '../../models/pytorchWeights.ts';
import type { EventOf } from '../../protocol/run/events.ts';
import type { Renaming } from '../../protocol/experiment/schema.ts';
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import { RENAMING } from '../../protocol/experiment/startProblems.ts';
import { openTensorFile, type TensorFile } from './fileTensors.ts';
import { hasShapeOf, isCountedPlace, matchWeights, type FittedWeight, type Match } from './matchWeights.ts';
import { renameTensors, type NamedTensor } from './renameTensors.ts';

/** Names in a message; the rest is counted. */
const NAMED = 5;
/** The same, in a warning of what was left out. */
const NAMED_IN_WARNING = 20;

export interface LoadOptions {
  /** That names the file. */
  readonly setting?: SettingPath;
  /** Names of tensors in the file, and what they are called in the model; null for those to leave out. */
  readonly rename?: Renaming | undefined;
  /** True where every weight must be in the file; else those that are not keep their values. */
  readonly complete: boolean;
}

/** What became of a file's tensors. */
export type LoadedWeights = Pick<EventOf<'pretrained'>, 'weights' | 'count'> & {
  /** Messages for the user: what was left out, and what computes something else than in PyTorch. */
  readonly warnings: readonly string[];
};

/**
 * The weights of the model become those tensors of the file that {@link matchWeights} finds for them.
 *
 * @param path absolute path of a file as {@link openTensorFile} takes it
 * @throws SettingError that names the weights that do not fit or are not finite, UserError for a file that is missing or damaged; the
 * model is then unchanged
 */
export async function loadWeights(
  model: tf.LayersModel,
  path: string,
  { setting = ['start'], rename = {}, complete }: LoadOptions,
): Promise<LoadedWeights> {
  const file = await openTensorFile(path);
  try {
    return await loadFrom(file, model, path, { setting, rename, complete });
  } finally {
    await file.close();
  }
}

async function loadFrom(
  file: TensorFile,
  model: tf.LayersModel,
  path: string,
  { setting, rename, complete }: Required<LoadOptions> & { rename: Renaming },
): Promise<LoadedWeights> {
  const tensors = renameTensors(file.tensors, rename);
  const all = pytorchWeights(model);
  const match = matchWeights(all, tensors, countedPlaces(model));
  checkNewNames(match, tensors, all);
  checkMatch(match, { path, setting, complete, tensors, weights: all });
  const values = new Map<FittedWeight, Float32Array>();
  for (const fitted of match.fitted) values.set(fitted, await valuesOf(fitted));
  checkFinite(values, path, setting);
  tf.tidy(() => {
    for (const [{ renamed }, data] of values) {
      const { shape, variable } = renamed.weight;
      variable.assign(tf.tensor(data, shape, variable.dtype));
    }
  });
  const ofPytorch = new Set(
    match.fitted.filter(({ isPytorch }) => isPytorch).map(({ renamed }) => renamed.weight.layer),
  );
  return {
    count: all.length,
    weights: match.fitted.map(({ renamed, tensors: found, by }) => ({
      name: renamed.weight.name,
      tensors: found.map(({ name }) => name),
      by,
    })),
    warnings: [...leftOut(match), ...differencesFromPytorch(model, ofPytorch)],
  };
}

async function valuesOf({ renamed, tensors, isPytorch }: FittedWeight): Promise<Float32Array> {
  const [parameter, another] = await Promise.all(tensors.map((tensor) => tensor.read()));
  return isPytorch ? fromPytorch(renamed, parameter, another) : parameter;
}

function leftOut({ missing, unused }: Match): string[] {
  const initial = missing.map(({ weight }) => weight.name);
  const ignored = unused.map(({ name }) => name);
  return [
    ...(initial.length > 0
      ? [`the file has nothing for ${list(initial, NAMED_IN_WARNING)}: initial values stay.`]
      : []),
    ...(ignored.length > 0 ? [`the model has no weight for ${list(ignored, NAMED_IN_WARNING)}; left out.`] : []),
  ];
}

/**
 * @throws SettingError for a key of `start.rename` whose tensors find no weight by their new names. They could find one by shape and order
 * then, which may be another than is meant.
 */
function checkNewNames(
  { fitted, misshapen }: Match,
  tensors: readonly NamedTensor[],
  weights: readonly RenamedWeight[],
): void {
  const byName = fitted.filter(({ by, tensors: [{ wanted }] }) => by === 'name' || isCountedPlace(wanted));
  const found = new Set([...byName.flatMap((weight) => weight.tensors), ...misshapen.map(({ tensor }) => tensor)]);
  const keys = new Set(Array.from(found, ({ key }) => key));
  const lost = tensors.filter(({ key }) => key !== undefined && !keys.has(key));
  if (lost.length === 0) return;
  const [{ key = '' }] = lost;
  const wanted = lost.filter((tensor) => tensor.key === key).map((tensor) => tensor.wanted);
  const names = weights.flatMap(({ weight, module, parameter }) => [weight.name, `${module}.${parameter}`]);
  const meant = didYouMean(wanted[0], names);
  throw new SettingError([...RENAMING, key], `the model has no weight for ${list(wanted)}`, {
    remedy:
      meant === undefined
        ? '`deeptwist describe FILE` lists the names of the model; null leaves a tensor out.'
        : `Did you mean '${meant}'?`,
  });
}

interface Checked {
  readonly path: string;
  readonly setting: SettingPath;
  readonly complete: boolean;
  readonly tensors: readonly NamedTensor[];
  readonly weights: readonly RenamedWeight[];
}

/** @throws SettingError where shapes differ, where nothing fits, and where something is missing that has to be there */
function checkMatch(
  { fitted, misshapen, missing }: Match,
  { path, setting, complete, tensors, weights }: Checked,
): void {
  const has = tensors.map(({ name }) => name);
  if (misshapen.length > 0) {
    const all = misshapen.map(({ renamed: { weight }, tensor, shape }) => {
      const source = tensor.name === weight.name ? weight.name : `${tensor.name} for ${weight.name}`;
      return `${source} is [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`;
    });
    throw new SettingError(setting, `weights of ${path} do not have the shapes of the model: ${list(all)}`, {
      remedy: complete
        ? 'Start from weights of the same model, with the same layer sizes.'
        : `Start from weights of the same layer sizes, or leave these out: "start": { "from": …, "rename": { ${JSON.stringify(misshapen[0].tensor.name)}: null } }.`,
    });
  }
  if (complete && missing.length > 0) {
    const names = missing.map(({ weight }) => weight.name);
    throw new SettingError(setting, `${path} lacks ${list(names)} of the model; it has ${list(has)}`, {
      remedy: 'Start from weights of the same model, with the same layer names.',
    });
  }
  if (fitted.length === 0) {
    const wants = weights.map(({ weight }) => weight.name);
    throw new SettingError(
      setting,
      `nothing of ${path} fits the model: it has ${list(has)}, and the model ${list(wants)}`,
      { remedy: renamingOf(tensors, weights) },
    );
  }
}

/** What to write so that a tensor becomes a weight, of those whose shapes fit. */
function renamingOf(tensors: readonly NamedTensor[], weights: readonly RenamedWeight[]): string {
  for (const tensor of tensors) {
    const renamed = weights.find((candidate) => hasShapeOf(candidate, tensor));
    if (!renamed) continue;
    const [name, weight] = [tensor.name, renamed.weight.name].map((text) => JSON.stringify(text));
    return `Say what is what, for example: "start": { "from": …, "rename": { ${name}: ${weight} } }.`;
  }
  return 'No tensor has the shape of a weight: start from weights of a model with the same layer sizes.';
}

function checkFinite(values: ReadonlyMap<FittedWeight, Float32Array>, path: string, setting: SettingPath): void {
  const notFinite = Array.from(values, ([{ renamed }, data]) => ({
    name: renamed.weight.name,
    found: data.find((value) => !Number.isFinite(value)),
  })).flatMap(({ name, found }) => (found === undefined ? [] : [`${name} has ${found}`]));
  if (notFinite.length > 0)
    throw new SettingError(setting, `weights of ${path} are not finite: ${list(notFinite)}`, {
      remedy: 'Start from weights of a training that did not diverge.',
    });
}

function list(names: readonly string[], most = NAMED): string {
  const rest = names.length - most;
  return names.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '') || 'nothing';
}
