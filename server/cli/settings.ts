/** @file The settings of an experiment as rows of text. */
import type { Experiment } from '../protocol/experiment/schema.ts';
import { formatSettingPath } from '../protocol/experiment/settingPath.ts';

/** Every setting by its name, `training.batchSize`, in the order of the experiment; values as JSON, strings plain. */
export function flattenSettings(config: Experiment): Map<string, string> {
  const settings = new Map<string, string>();
  function visit(value: unknown, path: string[]): void {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
    else settings.set(formatSettingPath(path), typeof value === 'string' ? value : JSON.stringify(value));
  }
  visit(config, []);
  settings.delete('$schema');
  return settings;
}
