/** @file The settings of the runs of a search, as `path=value` texts: the dense reference, full runs and short ones. Pure. */
import { placedCompressions } from '../protocol/experiment/compressions.ts';
import { overrideWith } from '../protocol/experiment/overrides.ts';
import type {
  Compression,
  Experiment,
  ExperimentSettings,
  LearningRateSchedule,
} from '../protocol/experiment/schema.ts';
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import type { PlannedRun } from '../sweeps/sweepFolder.ts';

export type RunSettings = Pick<PlannedRun, 'set' | 'vary'>;

/** Layers by the place of their compression in the list. */
export type LayersByCompression = ReadonlyMap<number, Compression['layers']>;

/** A time between two distortions that is a greater part of the training than this gets shorter with it. */
const FREQUENT = 0.01;

const set = (path: SettingPath, value: unknown) => overrideWith(path, value).text;

/** Settings are chosen without the test split. */
const NO_TEST = set(['training', 'testAtEnd'], false);

/** What takes the compressions out of an experiment, with the settings that need one. */
export function withoutCompression({ thin, training }: Pick<ExperimentSettings, 'thin' | 'training'>): string[] {
  return [
    set(['compression'], null),
    ...(thin ? [set(['thin'], null)] : []),
    ...(training.keep === 'compressed' ? [set(['training', 'keep'], null)] : []),
  ];
}

/** The run without compressions, by which drops are measured. @param base what all runs of the search have */
export function denseSettings(settings: ExperimentSettings, base: readonly string[]): RunSettings {
  const vary = withoutCompression(settings);
  return { set: [...base, NO_TEST, ...vary], vary };
}

/** A run of the whole length. @param seed number that is added to that of the file */
export function fullSettings(
  experiment: Experiment,
  base: readonly string[],
  layers: LayersByCompression,
  seed = 0,
): RunSettings {
  const own = seed === 0 ? [] : [set(['training', 'seed'], experiment.training.seed + seed)];
  const vary = [...layerTexts(experiment, layers), ...own];
  return { set: [...base, NO_TEST, ...vary], vary };
}

/**
 * A run of a part of the steps that begins with trained weights: the times of its compressions and of its learning rate are the same parts of it.
 * @param length part of the steps
 * @param start what names the trained weights
 */
export function shortSettings(
  experiment: Experiment,
  base: readonly string[],
  {
    layers,
    length,
    start,
    stepsPerEpoch,
  }: { layers: LayersByCompression; length: number; start: unknown; stepsPerEpoch: number | undefined },
): RunSettings {
  const { training } = experiment;
  const part = (steps: number) => Math.max(1, Math.round(length * steps));
  const steps = part(training.steps);
  const times = placedCompressions(experiment).flatMap(({ path, settings }) => {
    const { distortEvery, schedule } = settings;
    const every = distortEvery > FREQUENT * training.steps ? part(distortEvery) : distortEvery;
    return [
      set([...path, 'unit'], 'steps'),
      set([...path, 'distortEvery'], Math.min(every, steps)),
      ...(schedule
        ? [
            set([...path, 'schedule'], {
              ...schedule,
              unit: 'steps',
              from: Math.min(Math.floor(length * schedule.from), steps - 1),
              ...('to' in schedule && {
                to: Math.min(steps, Math.max(part(schedule.to), Math.floor(length * schedule.from) + 1)),
              }),
            }),
          ]
        : []),
    ];
  });
  const shorter = [
    set(['training', 'epochs'], null),
    set(['training', 'steps'], steps),
    set(
      ['training', 'learningRateSchedule'],
      shorterSchedule(training.learningRateSchedule, { part, steps: training.steps, stepsPerEpoch }),
    ),
    ...(training.evaluateEvery === undefined && training.learningRateSchedule.type !== 'plateau'
      ? []
      : [set(['training', 'evaluateEvery'], part(training.evaluateEvery ?? stepsPerEpoch ?? training.steps))]),
    set(['start'], start),
    // Nobody looks at its weights.
    set(['observe', 'every'], steps),
  ];
  const chosen = layerTexts(experiment, layers);
  return {
    set: [...base, NO_TEST, ...times, ...shorter, ...chosen],
    vary: [...chosen, set(['training', 'steps'], steps)],
  };
}

function layerTexts(experiment: Experiment, layers: LayersByCompression): string[] {
  const compressions = placedCompressions(experiment);
  return [...layers].map(([i, own]) => set([...compressions[i].path, 'layers'], own));
}

/** The schedule on a part of the steps: as far down at the end, and at the same parts of the way. */
function shorterSchedule(
  schedule: LearningRateSchedule,
  { part, steps, stepsPerEpoch }: { part: (steps: number) => number; steps: number; stepsPerEpoch: number | undefined },
): LearningRateSchedule {
  switch (schedule.type) {
    case 'constant':
    case 'plateau':
      return schedule;
    case 'step':
      return { ...schedule, every: part(schedule.every) };
    case 'exponential':
      return { ...schedule, steps: part(schedule.steps) };
    case 'after-epoch': {
      // Epochs do not get shorter: decays at equal distances, as many and as large that the last learning rate is the same.
      if (stepsPerEpoch === undefined) return { type: 'constant' };
      const first = Math.max(1, schedule.epoch) * stepsPerEpoch;
      const decays = Math.max(0, Math.ceil(steps / stepsPerEpoch) - Math.max(1, schedule.epoch));
      const fewer = Math.max(0, Math.ceil(steps / first) - 1);
      if (decays === 0 || fewer === 0) return { type: 'constant' };
      return { type: 'step', every: part(first), factor: schedule.factor ** (decays / fewer) };
    }
  }
}
