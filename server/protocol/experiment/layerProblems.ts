/** @file What is wrong with the layers of a compression, whatever the model is. */
import { writtenCompressions } from './compressions.ts';
import type { SettingProblem } from './problem.ts';
import { valueAt } from './settingPath.ts';

/**
 * Checks that each compression has at least one layer.
 * @param document the settings as they stand in the file, before validation
 */
export function layerProblems(document: unknown): SettingProblem[] {
  return writtenCompressions(document).flatMap(({ path, settings }): SettingProblem[] => {
    const layers = valueAt(settings, ['layers']);
    if (typeof layers !== 'object' || layers === null || Object.keys(layers).length > 0) return [];
    const message = 'expected at least one layer to compress';
    return [{ path: [...path, 'layers'], code: 'wrong-value', at: 'value', message }];
  });
}
