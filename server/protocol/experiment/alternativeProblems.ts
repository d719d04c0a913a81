/**
 * @file Settings that stand for one another: of `training.steps` and `training.epochs`, of the `path` and the `files` of a text or a
 * table, of arrays for a split and a fraction for it, one is given.
 */
import { isRecord } from '../record.ts';
import type { SettingProblem } from './problem.ts';
import { valueAt } from './settingPath.ts';

/**
 * Checks that one of several settings is there, and one only.
 * @param document the settings as they stand in the file, before validation
 */
export function alternativeProblems(document: unknown): SettingProblem[] {
  const training = valueAt(document, ['training']);
  const data = valueAt(document, ['data']);
  const problems: SettingProblem[] = [];
  if (isRecord(training)) problems.push(...oneOf(['training'], training, ['steps', 'a positive integer'], ['epochs']));
  if (isRecord(data) && data.type === 'text') {
    problems.push(...oneOf(['data'], data, ['path', 'a folder or a file'], ['files']));
    problems.push(
      ...fractionProblems(data, 'a text', (split) =>
        'files' in data && (split === 'test' || valueAt(data, ['files', split]) !== undefined) ? ['files'] : undefined,
      ),
    );
  }
  if (isRecord(data) && data.type === 'table') {
    problems.push(...oneOf(['data'], data, ['path', 'a file'], ['files']));
    problems.push(
      ...fractionProblems(data, 'a table', (split) =>
        valueAt(data, ['files', split]) === undefined ? undefined : ['files', split],
      ),
    );
    problems.push(...notBoth(['data'], data, 'columns', 'inputs'));
  }
  if (isRecord(data) && data.type === 'arrays') {
    problems.push(...fractionProblems(data, 'arrays', (split) => (split in data ? [split] : undefined)));
    if (!('test' in data) && valueAt(data, ['split', 'test']) === undefined)
      problems.push({
        path: ['data', 'test'],
        code: 'missing-setting',
        at: 'value',
        message: 'missing: expected arrays, or "split": { "test": 0.2 }, a fraction of "train"',
      });
  }
  const vocabulary = valueAt(data, ['vocabulary']);
  if (isRecord(vocabulary) && 'size' in vocabulary && 'file' in vocabulary)
    problems.push({
      path: ['data', 'vocabulary', 'size'],
      code: 'alternatives',
      at: 'key',
      message: 'expected either "size" or "file"',
    });
  const ofWords = isRecord(vocabulary) ? Object.keys(vocabulary) : [];
  if (valueAt(data, ['tokenizer']) !== undefined && ofWords.length > 0)
    problems.push({
      path: ['data', 'tokenizer'],
      code: 'alternatives',
      at: 'key',
      message: 'expected either "tokenizer" or "vocabulary": a tokenizer has its own',
      related: [['data', 'vocabulary']],
    });
  return problems;
}

function oneOf(
  path: string[],
  object: Readonly<Record<string, unknown>>,
  [usual, expected]: readonly [string, string],
  [other]: readonly [string],
): SettingProblem[] {
  if (usual in object || other in object) return notBoth(path, object, usual, other);
  return [
    {
      path: [...path, usual],
      code: 'missing-setting',
      at: 'value',
      message: `missing: expected ${expected}, or "${other}"`,
    },
  ];
}

function notBoth(
  path: string[],
  object: Readonly<Record<string, unknown>>,
  usual: string,
  other: string,
): SettingProblem[] {
  if (!(usual in object && other in object)) return [];
  return [
    {
      path: [...path, other],
      code: 'alternatives',
      at: 'key',
      message: `expected either "${usual}" or "${other}"`,
      related: [[...path, usual]],
    },
  ];
}

/**
 * Fractions for splits that have something of their own.
 * @param what they have
 * @param ownOf the setting that has it, within `data`; undefined for a split without
 */
function fractionProblems(
  data: unknown,
  what: string,
  ownOf: (split: string) => readonly [string, ...string[]] | undefined,
): SettingProblem[] {
  return ['test', 'validation'].flatMap((split): SettingProblem[] => {
    const own = ownOf(split);
    if (own === undefined || valueAt(data, ['split', split]) === undefined) return [];
    return [
      {
        path: ['data', 'split', split],
        code: 'alternatives',
        at: 'key',
        message: `"${own[0]}" has ${what} for it`,
        related: [['data', ...own]],
      },
    ];
  });
}
