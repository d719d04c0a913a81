/** @file What is wrong with `sweep` of an experiment file, and with the runs that it makes, each at its place in `sweep`. */
import { isRecord } from '../record.ts';
import { applyOverride, parseOverride } from './overrides.ts';
import type { SettingProblem } from './problem.ts';
import type { SweepConfig } from './schema.ts';
import { MOST_RUNS } from './schema/sweep.ts';
import { formatSettingPath, isWithin, parseSettingPath, type SettingPath } from './settingPath.ts';
import { axesOf, isRange, representativeRuns, runCount, type NumberRange, type SweptRun } from './sweptRuns.ts';

/** Runs of a file that are checked while it is edited: those of a long list are checked before they start. */
const MOST_CHECKED = 200;

/**
 * Checks the names, the bounds and the number of runs, and those runs in which each value is once.
 * @param document the settings as they stand in the file
 * @param sweep those of the sweep, which are valid; undefined where there is none
 * @param check finds what is wrong with the settings of a run
 */
export function sweepProblems(
  document: unknown,
  sweep: SweepConfig | undefined,
  check: (document: unknown) => SettingProblem[],
): SettingProblem[] {
  if (!sweep) return [];
  const problems = [...nameProblems(sweep), ...boundProblems(sweep), ...halvingProblems(document, sweep)];
  if (problems.length > 0) return problems;
  const count = runCount(sweep);
  if (count > MOST_RUNS) {
    const message = `makes ${count.toLocaleString('en')} runs: at most ${MOST_RUNS.toLocaleString('en')} are made`;
    return [{ path: ['sweep', 'vary'], code: 'wrong-value', at: 'key', message }];
  }
  return runProblems(document, representativeRuns(sweep).slice(0, MOST_CHECKED), check);
}

/**
 * What is wrong with runs, at the settings of the sweep that made it wrong, each once.
 * @param document as in {@link sweepProblems}
 */
export function runProblems(
  document: unknown,
  runs: readonly SweptRun[],
  check: (document: unknown) => SettingProblem[],
): SettingProblem[] {
  if (!isRecord(document)) return [];
  // Once for all runs: a list of many runs is long.
  const { sweep: _, ...settings } = document;
  const found = new Map<string, SettingProblem>();
  for (const run of runs) {
    for (const problem of problemsOf(copyOf(settings), run, check)) {
      const key = JSON.stringify([problem.path, problem.message]);
      if (!found.has(key)) found.set(key, problem);
    }
  }
  return [...found.values()];
}

/** Objects without a prototype, as those of a file: `__proto__` is a key like others. */
function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (!isRecord(value)) return value;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(value)) copy[key] = copyOf(inner);
  return copy as T;
}

/** @param settings of the file without its sweep, which become those of the run */
function problemsOf(
  settings: Record<string, unknown>,
  run: SweptRun,
  check: (document: unknown) => SettingProblem[],
): SettingProblem[] {
  for (const { override, place } of run) {
    // From its text: another one may write into an object that it wrote.
    const obstacle = applyOverride(settings, parseOverride(override.text) ?? override);
    if (obstacle !== undefined) return [{ path: place, code: 'unfit', at: 'value', message: obstacle }];
  }
  return check(settings).map(({ path, code, message, at, related = [] }): SettingProblem => {
    const culprits = [path, ...related].flatMap(
      (part) => run.findLast(({ override: own }) => isWithin(part, own.path) || isWithin(own.path, part)) ?? [],
    );
    // What the sweep wrote has made it wrong, in any case: without it, the file has no problem.
    const [culprit] = culprits.length > 0 ? culprits : run;
    const isAtCulprit = culprits.length > 0 && isWithin(path, culprit.override.path);
    const isOfName = culprits.length > 0 && at === 'key' && (isAtCulprit || code === 'unknown-setting');
    const name = isAtCulprit ? '' : `${formatSettingPath(path)}: `;
    const beside = isAtCulprit || run.length < 2 ? '' : ` (with ${run.map(({ override }) => override.text).join(' ')})`;
    return {
      path: isOfName ? keyOf(culprit.place) : culprit.place,
      code: code === 'unknown-setting' || code === 'missing-setting' ? 'unfit' : code,
      at: isOfName ? 'key' : 'value',
      message: `${name}${message}${beside}`,
    };
  });
}

/** The name of a setting that stands before its values. */
function keyOf(place: SettingPath): SettingPath {
  return place[1] === 'vary' ? place.slice(0, 3) : place;
}

function nameProblems(sweep: SweepConfig): SettingProblem[] {
  const objects: [SettingPath, Readonly<Record<string, unknown>>][] =
    sweep.type === 'list'
      ? sweep.runs.map((run, i): [SettingPath, Readonly<Record<string, unknown>>] => [['sweep', 'runs', i], run])
      : [[['sweep', 'vary'], sweep.vary]];
  return objects.flatMap(([place, object]) => {
    const names = Object.keys(object);
    if (names.length === 0 && sweep.type !== 'list')
      return [{ path: place, code: 'wrong-value', at: 'value', message: 'expected at least one setting to vary' }];
    const seen = new Set<string>();
    return names.flatMap((name): SettingProblem[] => {
      const path = parseSettingPath(name);
      const wrong = (message: string): SettingProblem[] => [
        { path: [...place, name], code: 'wrong-value', at: 'key', message },
      ];
      if (!path)
        return wrong('expected the name of a setting, such as training.seed or compression.layers["a.b"].rate');
      if (path[0] === 'sweep') return wrong('a sweep cannot vary itself');
      const usual = formatSettingPath(path);
      if (seen.has(usual)) return wrong(`this is ${usual}, which already exists; remove one of them`);
      seen.add(usual);
      return [];
    });
  });
}

function boundProblems(sweep: SweepConfig): SettingProblem[] {
  return axesOf(sweep).flatMap(({ place, values }): SettingProblem[] => {
    const problem = isRange(values) ? boundProblem(values) : undefined;
    if (!problem) return [];
    return [{ path: [...place, problem.at], code: 'combination', at: 'value', message: problem.message }];
  });
}

/** A run that ends before the first comparison is never stopped early. */
function halvingProblems(document: unknown, { halving }: SweepConfig): SettingProblem[] {
  const training = isRecord(document) && isRecord(document.training) ? document.training : {};
  const { steps } = training;
  if (!halving || typeof steps !== 'number' || halving.from < steps) return [];
  const message = `expected less than training.steps (${steps}), got ${halving.from}: no run would be stopped early`;
  return [{ path: ['sweep', 'halving', 'from'], code: 'combination', at: 'value', message }];
}

function boundProblem({ from, to, scale, integer }: NumberRange): { at: 'from' | 'to'; message: string } | undefined {
  if (from >= to) return { at: 'to', message: `expected more than from (${from}), got ${to}` };
  if (scale === 'logarithmic' && from <= 0)
    return { at: 'from', message: `expected a positive number, whose logarithm is taken, got ${from}` };
  for (const [at, value] of [
    ['from', from],
    ['to', to],
  ] as const)
    // prettier-ignore
    if (integer && !Number.isInteger(value)) return { at, message: `expected an integer, got ${value}` };
  return undefined;
}
