/** @file What is wrong with the layers of a compression, whatever the model is. */
import type { SettingProblem } from './problem.ts';
import { valueAt } from './settingPath.ts';

/**
 * Checks that a compression has at least one layer.
 * @param document the settings as they stand in the file, before validation
 */
export function layerProblems(document: unknown): SettingProblem[] {
  const path = ['compression', 'layers'];
  const layers = valueAt(document, path);
  if (typeof layers !== 'object' || layers === null || Object.keys(layers).length > 0) return [];
  return [{ path, code: 'wrong-value', at: 'value', message: 'expected at least one layer to compress' }];
}
