/** @file A problem in an experiment file: what, where, and whether the file or a `--set` is at fault. */
import type { JsonText, Place, TextRange } from './jsonText.ts';
import type { Override } from './overrides.ts';
import { formatSettingPath, isWithin } from './settingPath.ts';
import type { SettingPath } from './settingPath.ts';
import { ExitCode, UserError } from '../userError.ts';

/** What kind of problem it is: an editor's remedy goes by it. */
export type ProblemCode =
  | 'syntax'
  | 'duplicate-key'
  | 'unknown-setting'
  | 'missing-setting'
  | 'wrong-value'
  | 'alternatives'
  | 'times'
  | 'combination'
  | 'unfit';

/** Something wrong in an experiment file. */
export interface Problem extends Place {
  readonly code: ProblemCode;
  /** The whole key or value; undefined where only a `--set` is at fault. */
  readonly range?: TextRange;
  /** What was probably meant: the name of a setting, or a value. */
  readonly meant?: string;
  /** Name of the setting, `compression.layers.fc1.rate`; empty for the file as a whole. */
  path: string;
  message: string;
  /** The `--set` that made the problem, when one did; the place is then that of the nearest setting in the file. */
  override?: string;
}

/** A problem that has not been located yet. */
export interface SettingProblem {
  path: SettingPath;
  code: ProblemCode;
  message: string;
  meant?: string;
  /** The part of the setting that the place is of. */
  at: 'key' | 'value';
  /** Other settings that the problem is about: a `--set` of one of them may have made it. */
  related?: readonly SettingPath[];
}

/** The problem at its place in the file, and with the `--set` that made it, if one did. */
export function located(
  { path, code, message, meant, at, related = [] }: SettingProblem,
  json: JsonText,
  applied: readonly Override[],
): Problem {
  const place = at === 'key' ? json.placeOfKey(path) : json.placeOfValue(path);
  const override = [path, ...related].map((setting) => culprit(setting, json, applied)).find((found) => found);
  return {
    path: formatSettingPath(path),
    code,
    ...place,
    range: rangeOf(path, at, json),
    message,
    ...(meant !== undefined && { meant }),
    ...(override && { override: override.text }),
  };
}

/**
 * The key or the value; of a setting that is not there, the key of the nearest object around it, or the brace that opens the
 * file.
 */
export function rangeOf(path: SettingPath, at: 'key' | 'value', json: JsonText): TextRange {
  const own = at === 'value' ? json.rangeOfValue(path) : json.rangeOfKey(path);
  if (own) return own;
  if (path.length > 0) return rangeOf(path.slice(0, -1), 'key', json);
  const { start } = json.rangeOfValue([]) ?? { start: 0 };
  return { start, end: start + 1 };
}

/** The last `--set` that wrote the setting at `path`, or wrote into an object around it that is not in the file. */
function culprit(path: SettingPath, json: JsonText, applied: readonly Override[]): Override | undefined {
  let inFile = path.length;
  while (inFile > 0 && !json.has(path.slice(0, inFile))) inFile--;
  const firstNotInFile = path.slice(0, inFile + 1);
  return applied.findLast(
    (override) => isWithin(path, override.path) || (inFile < path.length && isWithin(override.path, firstNotInFile)),
  );
}

/** Problems that a message shows; the rest is counted. */
const SHOWN = 100;

/** The error that shows `problems` of `file`, one a line. */
export function experimentError(file: string, problems: readonly Problem[]): UserError {
  const lines = problems.slice(0, SHOWN).map((problem) => formatProblem(file, problem));
  if (problems.length > SHOWN) lines.push(`… and ${problems.length - SHOWN} more`);
  return new UserError(lines.join('\n'), {
    exitCode: ExitCode.usage,
  });
}

/** `lenet.deeptwist.jsonc:14:21 compression.layers.fc1.rate: expected a number in [0, 1), got 1.2` */
export function formatProblem(file: string, problem: Problem): string {
  const where =
    problem.override === undefined ? `${file}:${problem.line}:${problem.column}` : `--set ${problem.override}`;
  return problem.path === '' ? `${where} ${problem.message}` : `${where} ${problem.path}: ${problem.message}`;
}
