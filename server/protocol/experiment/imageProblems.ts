/** @file Settings of images that are each right and do not fit one another. */
import { isRecord } from '../record.ts';
import type { SettingProblem } from './problem.ts';
import { valueAt } from './settingPath.ts';

/**
 * Checks that there is a mean and a deviation for each channel.
 * @param document the settings as they stand in the file, before validation
 */
export function imageProblems(document: unknown): SettingProblem[] {
  const data = valueAt(document, ['data']);
  if (!isRecord(data) || data.type !== 'images') return [];
  const channels = data.color === 'gray' ? 1 : 3;
  return ['mean', 'deviation'].flatMap((name): SettingProblem[] => {
    const path = ['data', 'standardize', name];
    const values = valueAt(document, path);
    if (!Array.isArray(values) || values.length === channels) return [];
    const message = `expected ${channels} number${channels === 1 ? '' : 's'}, one for each channel, got ${values.length}`;
    return [{ path, code: 'combination', at: 'value', message, related: [['data', 'color']] }];
  });
}
