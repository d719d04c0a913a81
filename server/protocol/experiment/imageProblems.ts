/** @file Settings of images that are each right and do not fit one another. */
import { isRecord } from '../record.ts';
import type { SettingProblem } from './problem.ts';
import { valueAt } from './settingPath.ts';

/**
 * Checks that there is a mean and a deviation for each channel, and that images whose labels are in one file are divided.
 * @param document the settings as they stand in the file, before validation
 */
export function imageProblems(document: unknown): SettingProblem[] {
  const data = valueAt(document, ['data']);
  if (!isRecord(data) || data.type !== 'images') return [];
  return [...channelProblems(document, data), ...labelProblems(data)];
}

/** One file of labels needs a part for the test; files of each split exclude one. */
function labelProblems({ labels, labelColumns, split }: Readonly<Record<string, unknown>>): SettingProblem[] {
  const test = isRecord(split) ? split.test : undefined;
  if (typeof labels === 'string' && test === undefined) {
    const message = 'one file of labels is for all images; set "split": { "test": 0.2 }, or name a file for each split';
    return [{ path: ['data', 'labels'], code: 'combination', at: 'value', message }];
  }
  if (isRecord(labels) && test !== undefined) {
    const path = ['data', 'split', 'test'];
    return [
      { path, code: 'alternatives', at: 'key', message: '"labels" has a file for it', related: [['data', 'labels']] },
    ];
  }
  if (labels === undefined && labelColumns !== undefined)
    return [
      {
        path: ['data', 'labelColumns'],
        code: 'combination',
        at: 'key',
        message: 'they are columns of "labels", which is not there',
      },
    ];
  return [];
}

function channelProblems(document: unknown, data: Readonly<Record<string, unknown>>): SettingProblem[] {
  const channels = data.color === 'gray' ? 1 : 3;
  return ['mean', 'deviation'].flatMap((name): SettingProblem[] => {
    const path = ['data', 'standardize', name];
    const values = valueAt(document, path);
    if (!Array.isArray(values) || values.length === channels) return [];
    const message = `expected ${channels} number${channels === 1 ? '' : 's'}, one for each channel, got ${values.length}`;
    return [{ path, code: 'combination', at: 'value', message, related: [['data', 'color']] }];
  });
}
