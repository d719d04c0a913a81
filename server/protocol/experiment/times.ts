/**
 * @file The times of an experiment: length of the training, distortion step S_D, and the begin t_i and end t_f of the schedule.
 * A file gives a time in training steps or in epochs; the length of an epoch is known when the data is.
 */
import type { SettingProblem } from './problem.ts';
import type { Compression, Experiment, ExperimentSettings } from './schema.ts';
import { SettingError } from './settingError.ts';
import { valueAt, type SettingPath } from './settingPath.ts';

export type TimeUnit = 'steps' | 'epochs';

/** A length of time, or a time since the begin of the training. */
export interface Duration {
  /** Whole number, in {@link unit}. */
  readonly count: number;
  readonly unit: TimeUnit;
}

/** A time as the file gives it. */
export interface Time extends Duration {
  /** The setting that has the number. */
  readonly path: SettingPath;
  /** The setting that says the unit. */
  readonly unitPath: SettingPath;
}

/** The times of an experiment as its file gives them. A time that is missing or wrong is undefined, or its default. */
export interface Times {
  /** Length of the training: one of these two is given. */
  readonly steps: Time | undefined;
  readonly epochs: Time | undefined;
  /** S_D. */
  readonly distortEvery: Time | undefined;
  /** t_i; by default 0. */
  readonly from: Time;
  /** t_f. */
  readonly to: Time | undefined;
}

/** @param settings valid settings, or the settings of a file before validation */
export function readTimes(settings: unknown): Times {
  const read = (path: SettingPath, unit: TimeUnit, least: 0 | 1, unitPath = path): Time | undefined => {
    const count = valueAt(settings, path);
    return typeof count === 'number' && Number.isInteger(count) && count >= least
      ? { count, unit, path, unitPath }
      : undefined;
  };
  const schedule = ['compression', 'schedule'];
  const fromPath = [...schedule, 'from'];
  const [own, outer] = [
    [...schedule, 'unit'],
    ['compression', 'unit'],
  ];
  const unitPath = valueAt(settings, own) === undefined ? outer : own;
  const unitAt = (path: SettingPath) => (valueAt(settings, path) === 'epochs' ? 'epochs' : 'steps');
  const unit = unitAt(unitPath);
  return {
    steps: read(['training', 'steps'], 'steps', 1),
    epochs: read(['training', 'epochs'], 'epochs', 1),
    distortEvery: read(['compression', 'distortEvery'], unitAt(outer), 1, outer),
    from: read(fromPath, unit, 0, unitPath) ?? { count: 0, unit, path: fromPath, unitPath },
    to: read([...schedule, 'to'], unit, 1, unitPath),
  };
}

/**
 * A time in another unit.
 * @param stepsPerEpoch undefined where the length of an epoch is not known
 * @returns undefined where the time is undefined, or the length of an epoch is needed and not known
 */
export function timeIn(
  unit: TimeUnit,
  time: Duration | undefined,
  stepsPerEpoch: number | undefined,
): number | undefined {
  if (time === undefined || time.unit === unit || time.count === 0) return time?.count;
  if (stepsPerEpoch === undefined) return undefined;
  return unit === 'steps' ? time.count * stepsPerEpoch : time.count / stepsPerEpoch;
}

/** Times in one unit. A time is undefined where the file does not give it, or it is not known in this unit. */
export interface TimesInUnit {
  readonly unit: TimeUnit;
  /** Length of the training. */
  readonly end: number | undefined;
  /** S_D. */
  readonly distortEvery: number | undefined;
  /** t_i. */
  readonly from: number | undefined;
  /** t_f. */
  readonly to: number | undefined;
}

/** All times of an experiment in one unit; see {@link timeIn}. */
export function timesIn(unit: TimeUnit, times: Times, stepsPerEpoch: number | undefined): TimesInUnit {
  const convert = (time: Time | undefined) => timeIn(unit, time, stepsPerEpoch);
  return {
    unit,
    end: times[unit]?.count ?? convert(times.steps ?? times.epochs),
    distortEvery: convert(times.distortEvery),
    from: convert(times.from),
    to: convert(times.to),
  };
}

/**
 * Checks the times of an experiment against one another: `from < to`, and none after the end of the training. Times in steps
 * are not compared with times in epochs: {@link timesInSteps} does that when the length of an epoch is known.
 * @param document the settings as they stand in the file, before validation
 */
export function timeProblems(document: unknown): SettingProblem[] {
  const times = readTimes(document);
  const { distortEvery, from, to } = times;
  const problems: SettingProblem[] = [];

  function require(left: Time | undefined, relation: 'at most' | 'below', right: Time | undefined): void {
    if (left === undefined || right === undefined) return;
    if (relation === 'at most' ? left.count <= right.count : left.count < right.count) return;
    const message = `expected ${relation} ${right.path.join('.')} (${right.count}), got ${left.count}`;
    problems.push({ path: left.path, code: 'times', at: 'value', message, related: [right.path] });
  }
  for (const time of [distortEvery, to]) require(time, 'at most', time && times[time.unit]);
  require(from, 'below', to ?? times[from.unit]);
  return problems;
}

/**
 * The experiment with all times in training steps.
 * @param settings valid settings
 * @param stepsPerEpoch undefined where only reading to the end of the data would tell
 * @throws SettingError when the length of an epoch is needed and not known, and when a time is after the end of the training
 */
export function timesInSteps(settings: ExperimentSettings, stepsPerEpoch: number | undefined): Experiment {
  const { training, compression } = settings;
  const times = readTimes(settings);
  const { distortEvery, from, to } = times;
  const inSteps = (time: Time) => {
    const count = timeIn('steps', time, stepsPerEpoch);
    if (count !== undefined) return count;
    throw new SettingError(time.unitPath, 'the length of an epoch of the data is unknown', {
      remedy: 'Export the number of samples from the data module (samples.train), or give the time in steps.',
    });
  };
  const end = times.steps ?? times.epochs;
  const steps = end ? inSteps(end) : 0;
  for (const time of [distortEvery, from, to]) {
    if (time === undefined || inSteps(time) <= steps) continue;
    throw new SettingError(time.path, `expected at most the ${steps} steps of training, got ${inSteps(time)} steps`, {
      remedy: 'Train for longer, or choose an earlier time.',
    });
  }
  return {
    ...settings,
    training: { ...training, steps },
    ...(compression && {
      compression: inTheseSteps(compression, {
        distortEvery: distortEvery && inSteps(distortEvery),
        from: inSteps(from),
        to: to && inSteps(to),
      }),
    }),
  };
}

/** A compression whose times, where they are in epochs, are in steps. */
function inTheseSteps<C extends Compression>(
  compression: C,
  { distortEvery = compression.distortEvery, from, to }: Partial<Omit<TimesInUnit, 'from'>> & { from: number },
): C {
  const { unit, schedule } = compression;
  if (unit !== 'epochs' && schedule?.unit !== 'epochs') return compression;
  return {
    ...compression,
    distortEvery,
    unit: 'steps',
    ...(schedule && { schedule: { ...schedule, unit: 'steps', from, ...(to !== undefined && { to }) } }),
  };
}
