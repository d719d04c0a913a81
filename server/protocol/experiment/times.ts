/**
 * @file The times of an experiment: length of the training, distortion step S_D, the begin t_i and end t_f of the schedule, and when the
 * model is thinned.
 * A file gives a time in training steps or in epochs; the length of an epoch is known when the data is.
 */
import { withCompressions, writtenCompressions } from './compressions.ts';
import { isMethod, methodFacts } from './methods/index.ts';
import type { SettingProblem } from './problem.ts';
import type { Compression, Experiment, ExperimentSettings, TrainingConfig } from './schema.ts';
import { SettingError } from './settingError.ts';
import { formatSettingPath, valueAt, type SettingPath } from './settingPath.ts';

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
  /** In the order of the file. */
  readonly compressions: readonly CompressionTimes[];
  /** When units are removed, in the order of the file. */
  readonly thin: readonly Time[];
}

/** The times of one compression. */
export interface CompressionTimes {
  /** S_D. */
  readonly distortEvery: Time | undefined;
  /** t_i; by default 0. */
  readonly from: Time;
  /** t_f. */
  readonly to: Time | undefined;
}

/** @param settings valid settings, or the settings of a file before validation */
export function readTimes(settings: unknown): Times {
  return {
    steps: readTime(settings, ['training', 'steps'], { unit: 'steps', least: 1 }),
    epochs: readTime(settings, ['training', 'epochs'], { unit: 'epochs', least: 1 }),
    compressions: writtenCompressions(settings).map(({ path }) => compressionTimes(settings, path)),
    thin: thinTimes(settings),
  };
}

function thinTimes(settings: unknown): Time[] {
  const at = valueAt(settings, ['thin', 'at']);
  const unitPath = ['thin', 'unit'];
  const unit = valueAt(settings, unitPath) === 'steps' ? 'steps' : 'epochs';
  return (Array.isArray(at) ? at : []).flatMap(
    (_, i) => readTime(settings, ['thin', 'at', i], { unit, least: 1, unitPath }) ?? [],
  );
}

function compressionTimes(settings: unknown, compression: SettingPath): CompressionTimes {
  const schedule = [...compression, 'schedule'];
  const fromPath = [...schedule, 'from'];
  const [own, outer] = [
    [...schedule, 'unit'],
    [...compression, 'unit'],
  ];
  const unitPath = valueAt(settings, own) === undefined ? outer : own;
  const method = valueAt(settings, [...compression, 'method']);
  const ownUnit = isMethod(method) ? methodFacts[method].distortEvery.unit : undefined;
  const unitAt = (path: SettingPath) => ((valueAt(settings, path) ?? ownUnit) === 'epochs' ? 'epochs' : 'steps');
  const unit = unitAt(unitPath);
  const everyPath = [...compression, 'distortEvery'];
  const every = { unit: unitAt(outer), least: 1, unitPath: outer } as const;
  const isByDefault = ownUnit !== undefined && valueAt(settings, everyPath) === undefined;
  return {
    distortEvery: isByDefault ? { ...every, count: 1, path: everyPath } : readTime(settings, everyPath, every),
    from: readTime(settings, fromPath, { unit, least: 0, unitPath }) ?? { count: 0, unit, path: fromPath, unitPath },
    to: readTime(settings, [...schedule, 'to'], { unit, least: 1, unitPath }),
  };
}

function readTime(
  settings: unknown,
  path: SettingPath,
  { unit, least, unitPath = path }: { unit: TimeUnit; least: 0 | 1; unitPath?: SettingPath },
): Time | undefined {
  const count = valueAt(settings, path);
  return typeof count === 'number' && Number.isInteger(count) && count >= least
    ? { count, unit, path, unitPath }
    : undefined;
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

/** The length of the training and the times of one compression in one unit; see {@link timeIn}. */
export function timesIn(
  unit: TimeUnit,
  times: Times,
  { distortEvery, from, to }: CompressionTimes,
  stepsPerEpoch: number | undefined,
): TimesInUnit {
  const convert = (time: Time | undefined) => timeIn(unit, time, stepsPerEpoch);
  return {
    unit,
    end: times[unit]?.count ?? convert(times.steps ?? times.epochs),
    distortEvery: convert(distortEvery),
    from: convert(from),
    to: convert(to),
  };
}

/**
 * Checks the times of an experiment against one another: `from < to`, and none after the end of the training, where a thinning would
 * come too late as well. Times in steps are not compared with times in epochs: {@link timesInSteps} does that when the length of an epoch is known.
 * @param document the settings as they stand in the file, before validation
 */
export function timeProblems(document: unknown): SettingProblem[] {
  const times = readTimes(document);
  const problems: SettingProblem[] = [];

  function require(left: Time | undefined, relation: 'at most' | 'below', right: Time | undefined): void {
    if (left === undefined || right === undefined) return;
    if (relation === 'at most' ? left.count <= right.count : left.count < right.count) return;
    const message = `expected ${relation} ${formatSettingPath(right.path)} (${right.count}), got ${left.count}`;
    problems.push({ path: left.path, code: 'times', at: 'value', message, related: [right.path] });
  }
  for (const { distortEvery, from, to } of times.compressions) {
    for (const time of [distortEvery, to]) require(time, 'at most', time && times[time.unit]);
    require(from, 'below', to ?? times[from.unit]);
  }
  for (const time of times.thin) require(time, 'below', times[time.unit]);
  return problems;
}

/** Samples that a training step learns from. An epoch has as many steps as whole numbers of these fit in the training data. */
export function samplesPerStep({ batchSize, accumulate }: Pick<TrainingConfig, 'batchSize' | 'accumulate'>): number {
  return batchSize * accumulate;
}

/**
 * The experiment with all times in training steps.
 * @param settings valid settings
 * @param stepsPerEpoch undefined where only reading to the end of the data would tell
 * @throws SettingError when the length of an epoch is needed and not known, and when a time is after the end of the training
 */
export function timesInSteps(settings: ExperimentSettings, stepsPerEpoch: number | undefined): Experiment {
  const times = readTimes(settings);
  const inSteps = (time: Time) => {
    const count = timeIn('steps', time, stepsPerEpoch);
    if (count !== undefined) return count;
    throw new SettingError(time.unitPath, 'the length of an epoch of the data is unknown', {
      remedy: 'Export the number of samples from the data module (samples.train), or give the time in steps.',
    });
  };
  const end = times.steps ?? times.epochs;
  const steps = end ? inSteps(end) : 0;
  for (const time of times.compressions.flatMap(({ distortEvery, from, to }) => [distortEvery, from, to])) {
    if (time === undefined || inSteps(time) <= steps) continue;
    throw new SettingError(time.path, `expected at most the ${steps} steps of training, got ${inSteps(time)} steps`, {
      remedy: 'Train for longer, or choose an earlier time.',
    });
  }
  for (const time of times.thin) {
    if (inSteps(time) < steps) continue;
    throw new SettingError(
      time.path,
      `expected fewer than the ${steps} steps of training, got ${inSteps(time)} steps`,
      {
        remedy: 'Choose an earlier time. `deeptwist thin` makes the finished model smaller.',
      },
    );
  }
  const inTheseSteps = (compression: Compression, index: number): Compression => {
    const { unit, schedule } = compression;
    if (unit !== 'epochs' && schedule?.unit !== 'epochs') return compression;
    const { distortEvery, from, to } = times.compressions[index];
    return {
      ...compression,
      ...(distortEvery && { distortEvery: inSteps(distortEvery) }),
      unit: 'steps',
      ...(schedule && {
        schedule: { ...schedule, unit: 'steps', from: inSteps(from), ...(to && { to: inSteps(to) }) },
      }),
    } as Compression;
  };
  return {
    ...withCompressions(settings, inTheseSteps),
    ...(settings.thin && { thin: { at: times.thin.map(inSteps), unit: 'steps' } }),
    training: { ...settings.training, steps },
  };
}
