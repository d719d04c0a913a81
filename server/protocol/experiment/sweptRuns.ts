/** @file From `sweep` of an experiment file to its runs: which settings each of them has in the place of the file's. */
import { overrideWith, type Override } from './overrides.ts';
import type { SweepConfig } from './schema.ts';
import { parseSettingPath, type SettingPath } from './settingPath.ts';

/** A setting that a run of a sweep has in the place of the file's. */
export interface SweptSetting {
  readonly override: Override;
  /** The value in the file, a path in the settings; the bounds of one that was drawn between them. */
  readonly place: SettingPath;
}

/** The settings of a run, in the order in which they apply. */
export type SweptRun = readonly SweptSetting[];

/** The values that a setting takes. */
interface Axis {
  readonly path: SettingPath;
  readonly place: SettingPath;
  readonly values: readonly unknown[] | NumberRange;
}

/** Numbers between two bounds. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
  readonly scale: 'linear' | 'logarithmic';
  readonly integer: boolean;
}

/** What is varied under `vary`, by the names as they stand there; those that are no path of a setting are left out. */
export function axesOf(sweep: SweepConfig): Axis[] {
  if (sweep.type === 'list') return [];
  const vary: Readonly<Record<string, unknown>> = sweep.vary;
  return Object.entries(vary).flatMap(([name, values]) => {
    const path = parseSettingPath(name);
    return path ? [{ path, place: ['sweep', 'vary', name], values: values as Axis['values'] }] : [];
  });
}

/** The number of its runs. */
export function runCount(sweep: SweepConfig): number {
  if (sweep.type === 'list') return sweep.runs.length;
  if (sweep.type === 'random') return sweep.runs;
  return axesOf(sweep).reduce((count, { values }) => count * (isRange(values) ? 1 : values.length), 1);
}

/**
 * All runs of a sweep, the last setting of a grid changing first.
 * @param uniform gives random numbers in [0, 1)
 */
export function sweptRuns(sweep: SweepConfig, uniform: () => number): SweptRun[] {
  if (sweep.type === 'list') return listedRuns(sweep);
  const axes = axesOf(sweep);
  if (sweep.type === 'random')
    return Array.from({ length: sweep.runs }, () => axes.map((axis) => drawn(axis, uniform)));
  return axes.reduce<SweptRun[]>(
    (runs, axis) => runs.flatMap((run) => settingsOf(axis).map((setting) => [...run, setting])),
    [[]],
  );
}

/**
 * Some of the runs that a sweep has or can have, in which each value of each setting is at least once, beside the first ones of the others: as
 * many as there are values.
 */
export function representativeRuns(sweep: SweepConfig): SweptRun[] {
  if (sweep.type === 'list') return listedRuns(sweep);
  const settings = axesOf(sweep).map(settingsOf);
  const first = settings.map(([setting]) => setting);
  return [first, ...settings.flatMap((own, i) => own.slice(1).map((setting) => first.toSpliced(i, 1, setting)))];
}

function listedRuns({ runs }: Extract<SweepConfig, { type: 'list' }>): SweptRun[] {
  return runs.map((run, i) =>
    Object.entries(run).flatMap(([name, value]) => {
      const path = parseSettingPath(name);
      return path ? [{ override: overrideWith(path, value), place: ['sweep', 'runs', i, name] }] : [];
    }),
  );
}

/** Each value of a setting; of numbers between bounds, the bounds. */
function settingsOf({ path, place, values }: Axis): SweptSetting[] {
  if (!isRange(values))
    return values.map((value, i) => ({ override: overrideWith(path, value), place: [...place, i] }));
  const end = (name: 'from' | 'to') => ({ override: overrideWith(path, values[name]), place: [...place, name] });
  return [end('from'), end('to')];
}

function drawn({ path, place, values }: Axis, uniform: () => number): SweptSetting {
  if (isRange(values)) return { override: overrideWith(path, numberBetween(values, uniform())), place };
  const i = Math.floor(uniform() * values.length);
  return { override: overrideWith(path, values[i]), place: [...place, i] };
}

/** @param fraction in [0, 1) of the way from one bound to the other */
function numberBetween({ from, to, scale, integer }: NumberRange, fraction: number): number {
  // Each whole number has the numbers that are rounded to it.
  const [low, high] = integer ? [from - 0.5, to + 0.5] : [from, to];
  const value =
    scale === 'linear' ? low + fraction * (high - low) : Math.exp(Math.log(low) + fraction * Math.log(high / low));
  const rounded = integer ? Math.round(value) : Number(value.toPrecision(6));
  return Math.min(to, Math.max(from, rounded));
}

/** True for numbers between two bounds, false for a list of values. */
export function isRange(values: Axis['values']): values is NumberRange {
  return !Array.isArray(values);
}
