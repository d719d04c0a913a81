/** @file Settings of a table that are each right and do not fit one another. */
import { isRecord } from '../record.ts';
import type { SettingProblem } from './problem.ts';
import { valueAt } from './settingPath.ts';

/**
 * Checks that the target is no input, that no input is there twice or ignored, and that a target which is standardized is a number.
 * @param document the settings as they stand in the file, before validation
 */
export function tableProblems(document: unknown): SettingProblem[] {
  const data = valueAt(document, ['data']);
  if (!isRecord(data) || data.type !== 'table') return [];
  const { target, task, standardize } = data;
  const groups = [
    { path: ['columns'], columns: data.columns },
    ...Object.entries(isRecord(data.inputs) ? data.inputs : {}).map(([name, columns]) => ({
      path: ['inputs', name],
      columns,
    })),
  ];
  const kinds = isRecord(data.kinds) ? data.kinds : {};
  const problem = (
    path: (string | number)[],
    at: SettingProblem['at'],
    message: string,
    ...related: string[]
  ): SettingProblem => ({
    path: ['data', ...path],
    code: 'combination',
    at,
    message,
    related: [['data', ...related]],
  });
  return [
    ...groups.flatMap(({ path: group, columns }) =>
      (Array.isArray(columns) ? (columns as unknown[]) : []).flatMap((name, index, all) => {
        const path = [...group, index];
        if (name === target) return [problem(path, 'value', 'it is the target, and no input', 'target')];
        if (all.indexOf(name) < index) return [problem(path, 'value', 'it is there twice', ...group)];
        if (kinds[String(name)] === 'ignored') return [problem(path, 'value', 'it is "ignored" by "kinds"', 'kinds')];
        return [];
      }),
    ),
    ...(isRecord(data.inputs) && Object.keys(data.inputs).length === 0
      ? [problem(['inputs'], 'value', 'expected an input of the model with its columns, got none', 'inputs')]
      : []),
    ...(typeof target === 'string' && Object.hasOwn(kinds, target)
      ? [problem(['kinds', target], 'key', 'it is the target; "task" says what that is', 'target')]
      : []),
    ...(standardize === 'all' && task !== 'regression'
      ? [problem(['standardize'], 'value', 'classes are not standardized: "all" is for "task": "regression"', 'task')]
      : []),
  ];
}
