/** @file What is wrong with `start` whatever the model and the file are. */
import { isRecord } from '../record.ts';
import type { SettingProblem } from './problem.ts';
import { valueAt, type SettingPath } from './settingPath.ts';

/** The table of new names. */
export const RENAMING: SettingPath = ['start', 'rename'];

/**
 * Checks that a new name has no more stars than the name that it is for.
 * @param document the settings as they stand in the file, before validation
 */
export function startProblems(document: unknown): SettingProblem[] {
  const table = valueAt(document, RENAMING);
  return Object.entries(isRecord(table) ? table : {}).flatMap(([key, name]): SettingProblem[] => {
    const [expected, found] = [key, name].map((text) => (typeof text === 'string' ? text.split('*').length - 1 : 0));
    if (found <= expected) return [];
    const message = `it has ${found} of *, and the name that it is for has ${expected}: each stands for the text of one there`;
    return [{ path: [...RENAMING, key], code: 'combination', at: 'value', message }];
  });
}
