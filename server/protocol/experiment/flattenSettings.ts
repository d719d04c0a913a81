/** @file The settings of an experiment as rows of text. */
import type { Experiment, ExperimentSettings } from './schema.ts';
import { formatSettingPath, type SettingPath } from './settingPath.ts';
import { isRecord } from '../record.ts';

/** Every setting by its name, `training.batchSize`, in the order of the experiment; values as JSON, strings plain. */
export function flattenSettings(config: Experiment | ExperimentSettings): Map<string, string> {
  const settings = new Map<string, string>();
  function visit(value: unknown, path: SettingPath): void {
    if (isRecord(value)) for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
    else if (Array.isArray(value) && value.every(isRecord)) value.forEach((inner, i) => visit(inner, [...path, i]));
    else settings.set(formatSettingPath(path), typeof value === 'string' ? value : JSON.stringify(value));
  }
  visit(config, []);
  settings.delete('$schema');
  return settings;
}
