/**
 * @file From the text of an experiment file to {@link ExperimentSettings}, or to everything that is wrong with it, each
 * problem at its exact place. Pure: the CLI, the trainer and the language server use it alike.
 */
import type * as z from 'zod';
import { isRecord } from '../record.ts';
import { experimentSchema } from './schema.ts';
import type { SettingIssue } from './schema/compression.ts';
import type { ExperimentSettings } from './schema.ts';
import { deviceProblems } from './deviceProblems.ts';
import { didYouMean } from './didYouMean.ts';
import { allowedStrings, alternativeOf, expectation, knownKeys, schemaAt } from './expectation.ts';
import { experimentJsonSchema } from './experimentJsonSchema.ts';
import { JsonText } from './jsonText.ts';
import { applyOverride, parseOverride } from './overrides.ts';
import type { Override } from './overrides.ts';
import { experimentError, formatProblem, located } from './problem.ts';
import type { Problem, SettingProblem } from './problem.ts';
import { alternativeProblems } from './alternativeProblems.ts';
import { classWeightProblems } from './classWeightProblems.ts';
import { combinationProblems } from './combinationProblems.ts';
import { distillationProblems } from './distillationProblems.ts';
import { startProblems } from './startProblems.ts';
import { imageProblems } from './imageProblems.ts';
import { layerProblems } from './layerProblems.ts';
import { quantizationProblems } from './quantizationProblems.ts';
import type { SettingError } from './settingError.ts';
import { formatSettingPath, isWithin, valueAt } from './settingPath.ts';
import type { SettingPath } from './settingPath.ts';
import { openProblems, withOpenSettings } from './openSettings.ts';
import { tableProblems } from './tableProblems.ts';
import { shownValue } from './shownValue.ts';
import { targetProblems } from './targetProblems.ts';
import { thinProblems } from './thinProblems.ts';
import { timeProblems } from './times.ts';
import { UserError } from '../userError.ts';

/** Unknown settings of one object for which a known name is looked for. */
const MOST_SUGGESTED = 100;

export interface CheckedExperiment {
  /** There when there are no problems; with all defaults filled in. */
  experiment?: ExperimentSettings;
  /** Sorted by their places in the file. */
  problems: Problem[];
}

/** The text that settings were read from. */
export interface ExperimentText {
  /** Its name, to show in messages. */
  readonly file: string;
  readonly text: string;
  /** `path=value` texts of `--set`. */
  readonly overrides: readonly string[];
}

/** Problems of settings that are valid. @param document the settings as they stand in the file */
export type FurtherCheck = (document: unknown, experiment: ExperimentSettings) => readonly SettingProblem[];

/**
 * Checks an experiment file. A sweep is checked as far as its shape (checkSweep.ts has its runs, which the extension leaves to the
 * language server).
 * @param overrides `path=value` texts of `--set`, applied to the file's settings in their order
 * @param further what else is checked in a file that has no problem
 */
export function checkExperiment(
  text: string | JsonText,
  overrides: readonly string[] = [],
  further: FurtherCheck = () => [],
): CheckedExperiment {
  const json = typeof text === 'string' ? new JsonText(text) : text;
  if (json.problems.length > 0)
    return {
      problems: json.problems.map((problem) => ({ ...problem, path: formatSettingPath(problem.path) })),
    };

  const { document, applied, problems } = withOverrides(json, overrides);
  const { experiment, found } = checkSettings(document);
  const isWhole = experiment !== undefined && problems.length === 0 && found.length === 0;
  for (const problem of [...found, ...(isWhole ? further(document, experiment) : [])])
    problems.push(located(problem, json, applied));
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return experiment && problems.length === 0 ? { experiment, problems } : { problems };
}

/** Everything that is wrong with settings. @param document the settings as they stand in a file */
export function problemsOf(document: unknown): SettingProblem[] {
  return checkSettings(document).found;
}

/** @param written the settings as they stand in the file, before validation */
function checkSettings(written: unknown): { experiment?: ExperimentSettings; found: SettingProblem[] } {
  const document = withOpenSettings(written);
  const parsed = experimentSchema.safeParse(document);
  const found = parsed.success ? [] : settingProblems(parsed.error.issues, document);
  const misspelt = misspeltSettings(found);
  const isMisspelt = ({ code, path }: SettingProblem) =>
    code === 'missing-setting' && misspelt.has(formatSettingPath(path));
  const wrong = found.filter((problem) => !isMisspelt(problem));
  const unfit = [
    ...alternativeProblems(document),
    ...timeProblems(document),
    ...layerProblems(document),
    ...combinationProblems(document),
    ...quantizationProblems(document),
    ...distillationProblems(document),
    ...classWeightProblems(document),
    ...startProblems(document),
    ...imageProblems(document),
    ...tableProblems(document),
    ...thinProblems(document),
    ...deviceProblems(document),
    ...targetProblems(written),
  ].filter(
    (problem) =>
      !isMisspelt(problem) &&
      !wrong.some(({ path }) => [problem.path, ...(problem.related ?? [])].some((part) => isWithin(part, path))),
  );
  return { ...(parsed.success && { experiment: parsed.data }), found: [...wrong, ...unfit] };
}

/**
 * {@link checkExperiment} for a caller that needs a valid experiment, whose settings all have values.
 * @param file name to show in messages
 * @throws UserError with all problems, one a line
 */
export function parseExperiment(
  text: string,
  { file, overrides = [] }: { file: string; overrides?: readonly string[] },
): ExperimentSettings {
  const { experiment, problems } = checkExperiment(text, overrides, openProblems);
  if (!experiment) throw experimentError(file, problems);
  return experiment;
}

/** A problem that only shows outside the schema, such as a layer name that matches no layer, at its place in the file. */
export function problemAt({ setting, reason, at }: SettingError, { text, overrides }: ExperimentText): Problem {
  const applied = overrides.map(parseOverride).filter((override) => override !== undefined);
  return located({ path: setting, code: 'unfit', message: reason, at }, new JsonText(text), applied);
}

/** The error as a user sees it, with the place of its setting in the file. */
export function placed(error: SettingError, source: ExperimentText): UserError {
  const { remedy, exitCode, cause } = error;
  return new UserError(formatProblem(source.file, problemAt(error, source)), { remedy, exitCode, cause });
}

/** The settings of a file with overrides, which of them could be applied, and what is wrong with the others. */
export function withOverrides(json: JsonText, overrides: readonly string[]) {
  const document = json.value();
  const problems: Problem[] = [];
  const applied: Override[] = [];
  for (const text of overrides) {
    const override = parseOverride(text);
    if (!override) {
      const message = 'expected SETTING=VALUE, for example training.steps=100';
      problems.push({ path: '', code: 'unfit', line: 1, column: 1, message, override: text });
      continue;
    }
    const obstacle = isRecord(document) ? applyOverride(document, override) : undefined;
    if (obstacle === undefined) applied.push(override);
    else
      problems.push({
        path: '',
        code: 'unfit',
        ...json.placeOfValue(override.path),
        message: obstacle,
        override: text,
      });
  }
  return { document, applied, problems };
}

/** Names of the settings that are there misspelt: they are not to be called missing as well. */
function misspeltSettings(problems: readonly SettingProblem[]): ReadonlySet<string> {
  return new Set(
    problems.flatMap(({ code, path, meant }) =>
      code === 'unknown-setting' && meant !== undefined ? formatSettingPath([...path.slice(0, -1), meant]) : [],
    ),
  );
}

/** The problems that zod found, one for each setting. */
function settingProblems(issues: readonly z.core.$ZodIssue[], document: unknown): SettingProblem[] {
  const problems = new Map<string, SettingProblem>();
  for (const issue of issues.flatMap(chosenOption)) {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(experimentJsonSchema(), document, path);
      for (const [i, key] of issue.keys.entries()) {
        const meant = i < MOST_SUGGESTED ? didYouMean(key, known) : undefined;
        const hint = meant === undefined ? `expected ${known.join(', ')}` : `did you mean "${meant}"?`;
        problems.set(formatSettingPath([...path, key]), {
          path: [...path, key],
          code: 'unknown-setting',
          at: 'key',
          message: `unknown setting; ${hint}`,
          meant,
        });
      }
    } else {
      const name = formatSettingPath(path);
      if (problems.has(name)) continue;
      problems.set(name, { path, at: 'value', ...(combinationOf(issue) ?? wrongValue(issue, path, document)) });
    }
  }
  return [...problems.values()];
}

/** Codes for a value of another kind than an option of a union. */
const wrongKinds: ReadonlySet<string | undefined> = new Set(['invalid_type', 'invalid_value']);

/**
 * The issues of the option of a union that was meant: for an object the one that knows most of its settings, else the union as a whole.
 */
function chosenOption(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const unknown = (errors: readonly z.core.$ZodIssue[]) =>
    errors.reduce((count, error) => count + (error.code === 'unrecognized_keys' ? error.keys.length : 0), 0);
  const [inside] = issue.errors
    .filter((errors) => !errors.some(({ code, path }) => wrongKinds.has(code) && path.length === 0))
    .toSorted((a, b) => unknown(a) - unknown(b));
  if ((inside as typeof inside | undefined) === undefined) return [issue];
  return inside.flatMap((error) => chosenOption({ ...error, path: [...issue.path, ...error.path] }));
}

/** What a check of the schema itself found in settings that belong together. */
function combinationOf(
  issue: z.core.$ZodIssue,
): (Pick<SettingProblem, 'code' | 'message' | 'at'> & { meant?: undefined }) | undefined {
  if (!('params' in issue) || issue.params === undefined) return undefined;
  const { kind, at } = issue.params as unknown as SettingIssue;
  return { code: kind, message: issue.message, at };
}

function wrongValue(
  issue: z.core.$ZodIssue,
  path: SettingPath,
  document: unknown,
): Pick<SettingProblem, 'code' | 'message' | 'meant'> {
  const part = schemaAt(experimentJsonSchema(), document, path);
  const value = valueAt(document, path);
  const expected = part ? `expected ${expectation(part)}` : issue.message;
  if (value === undefined) return { code: 'missing-setting', message: `missing: ${expected}` };
  const words = part && allowedStrings(alternativeOf(part, value) ?? part);
  const meant = typeof value === 'string' && words ? didYouMean(value, words) : undefined;
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`;
  return { code: 'wrong-value', message: `${expected}, got ${shownValue(value)}${hint}`, meant };
}
