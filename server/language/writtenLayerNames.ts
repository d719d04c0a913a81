/** @file Where an experiment file names a layer of its model: under compressions, in what a sweep varies, for weights to start from, for an output. */
import { isPattern } from '../protocol/experiment/layerPattern.ts';
import { formatSettingPath, isWithin, parseSettingPath, type SettingPath } from '../protocol/experiment/settingPath.ts';
import { RENAMING } from '../protocol/experiment/startProblems.ts';
import type { ModelDescription } from '../protocol/model/modelDescription.ts';
import { isRecord } from '../protocol/record.ts';
import { keysOf } from './compressedModel.ts';
import type { ExperimentDocument } from './experimentDocument.ts';
import { layerAt } from './readCompression.ts';
import { namesSettings } from './sweptSettings.ts';

/** A key or a value of the file that names a layer. */
export interface WrittenName {
  readonly path: SettingPath;
  readonly at: 'key' | 'value';
  /** As it is written. */
  readonly text: string;
  /** With another name of the layer; undefined for a pattern, which can name others, too. */
  readonly renamed: string | undefined;
}

/** @param newName with what the layer is in */
export function writtenNames(
  { settings }: ExperimentDocument,
  model: ModelDescription,
  layer: string,
  newName: string,
): WrittenName[] {
  const found: WrittenName[] = [];
  const add = (path: SettingPath, at: WrittenName['at'], text: string, renamed: string | undefined) =>
    found.push({ path, at, text, renamed });
  const isOutput = model.outputs?.some(({ name }) => name === layer) === true;

  /** @param setting that the place in the file stands for: in a sweep, the one that varies */
  const visit = (value: unknown, path: SettingPath, setting: SettingPath): void => {
    if (Array.isArray(value)) value.forEach((entry, i) => visit(entry, [...path, i], [...setting, i]));
    else if (isRecord(value))
      for (const [key, inner] of Object.entries(value)) visitEntry(inner, [...path, key], [...setting, key], key);
    else if (typeof value === 'string' && isWithin(setting, RENAMING) && setting.length > RENAMING.length) {
      const renamed = otherTarget(value, layer, newName);
      if (renamed !== undefined) add(path, 'value', value, renamed);
      else if (mayBeTarget(value, model, layer)) add(path, 'value', value, undefined);
    }
  };

  const visitEntry = (value: unknown, path: SettingPath, setting: SettingPath, key: string): void => {
    const swept = namesSettings(path.slice(0, -1)) ? parseSettingPath(key) : undefined;
    const named = swept ?? setting;
    const other = otherSetting(named, model, layer, newName, isOutput);
    if (other && swept) add(path, 'key', key, other.path && formatSettingPath(other.path));
    // A key in what a layer has does not name the layer: its own key is further out.
    else if (other?.at === named.length - 1) add(path, 'key', key, other.path && String(other.path[other.at]));
    // A sweep has a list of values for each setting, or a run has one.
    if (swept && path[1] === 'vary' && Array.isArray(value))
      value.forEach((entry, i) => visit(entry, [...path, i], swept));
    else visit(value, path, named);
  };

  visit(settings, [], []);
  return found;
}

/**
 * A setting that leads to or through the layer with another name of it, which stands at an index of the path. Its path is undefined for a
 * pattern; all is undefined for a setting that does not name the layer.
 */
function otherSetting(
  setting: SettingPath,
  model: ModelDescription,
  layer: string,
  newName: string,
  isOutput: boolean,
): { path: SettingPath | undefined; at: number } | undefined {
  const within = layerAt(setting);
  if (within) {
    const { layers, key, inner } = within;
    const at = layers.length;
    if (key === layer || key.startsWith(`${layer}/`))
      return { path: [...layers, newName + key.slice(layer.length), ...inner], at };
    const isNamed =
      isPattern(key) &&
      keysOf(model)
        .named(key)
        .some((weight) => weight.layer === layer);
    return isNamed ? { path: undefined, at } : undefined;
  }
  const at = isOutput ? outputIn(setting) : undefined;
  return at !== undefined && setting[at] === layer ? { path: setting.with(at, newName), at } : undefined;
}

/** Where a setting has the name of an output: `training.loss.NAME`, `data.train.targets.NAME`. */
function outputIn([section, part, of]: SettingPath): number | undefined {
  if (section === 'training' && part === 'loss') return 2;
  return section === 'data' && of === 'targets' ? 3 : undefined;
}

/** Names of weights and layers to start from have a dot or a slash between their parts. */
const PART = /[./]/g;

/** A name that a tensor gets, for a layer of another name; undefined for one that does not begin with the layer's. */
function otherTarget(target: string, layer: string, newName: string): string | undefined {
  const begins = target.slice(0, layer.length).replace(PART, '/') === layer.replace(PART, '/');
  const rest = target.slice(layer.length);
  return begins && /^(?:[./]|$)/.test(rest) ? newName + rest : undefined;
}

/** True if a name for tensors, in which each star is any text and case does not count, can be that of a layer or of one of its weights. */
function mayBeTarget(target: string, model: ModelDescription, layer: string): boolean {
  const normal = (name: string) => name.toLowerCase().replace(/[./_]+/g, '.');
  const texts = normal(target).split('*');
  const spelled = (name: string) => name.toLowerCase().replace(PART, '.');
  if (spelled(target).startsWith(`${spelled(layer)}.`)) return true;
  const names = [layer, ...model.weights.filter((weight) => weight.layer === layer).map(({ name }) => name)];
  return names.map(normal).some((name) => {
    if (texts.length === 1) return name === texts[0];
    const [first, last] = [texts[0], texts.at(-1)!];
    // `fc*.weight` is of PyTorch's module: the parameter has another name than the layer's weight.
    return name.startsWith(first) && (last === '' || last.startsWith('.') || name.endsWith(last));
  });
}
