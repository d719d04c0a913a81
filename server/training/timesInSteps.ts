/** @file Times that an experiment gives in epochs, in steps. */
import type { Compression, Experiment, ExperimentSettings } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';

/**
 * @param stepsPerEpoch undefined where only reading to the end of the data would tell
 * @throws SettingError when that is needed, and when times in steps and in epochs do not go together
 */
export function timesInSteps(settings: ExperimentSettings, stepsPerEpoch: number | undefined): Experiment {
  const { training, compression } = settings;
  const steps = training.steps ?? (training.epochs ?? 0) * epochLength(['training', 'epochs'], stepsPerEpoch);
  const scheduled = compression && { ...compression, schedule: scheduleInSteps(compression, stepsPerEpoch) };
  if (scheduled) checkEnd(scheduled as Compression, steps);
  return {
    ...settings,
    training: { ...training, steps },
    ...(scheduled && { compression: scheduled as Compression }),
  };
}

function scheduleInSteps({ schedule }: Compression, stepsPerEpoch: number | undefined): Compression['schedule'] {
  if (schedule?.unit !== 'epochs') return schedule;
  const length = epochLength(['compression', 'schedule', 'unit'], stepsPerEpoch);
  return {
    ...schedule,
    unit: 'steps',
    from: schedule.from * length,
    ...('to' in schedule && { to: schedule.to * length }),
  };
}

function epochLength(setting: string[], stepsPerEpoch: number | undefined): number {
  if (stepsPerEpoch !== undefined) return stepsPerEpoch;
  throw new SettingError(setting, 'the length of an epoch of the data is unknown', {
    remedy: 'Export the number of samples from the data module (samples.train), or give the time in steps.',
  });
}

function checkEnd({ distortEvery, schedule }: Compression, steps: number): void {
  const check = (setting: string[], time: number | undefined) => {
    if (time === undefined || time <= steps) return;
    throw new SettingError(setting, `expected at most the ${steps} steps of training, got ${time} steps`, {
      remedy: 'Train for longer, or choose an earlier time.',
    });
  };
  check(['compression', 'distortEvery'], distortEvery);
  check(['compression', 'schedule', 'from'], schedule?.from);
  check(['compression', 'schedule', 'to'], schedule && 'to' in schedule ? schedule.to : undefined);
}
