/** @file What a training needs of its data: samples for a batch, and a validation split for what is chosen by one. */
import type { Dataset } from '../data/dataset.ts';
import type { ExperimentSettings } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { samplesPerStep } from '../protocol/experiment/times.ts';

/** @throws SettingError when the data cannot give what the settings ask for */
export function checkSplits(settings: ExperimentSettings, dataset: Dataset): void {
  checkEpoch(settings, dataset);
  checkValidation(settings, dataset);
}

/** @throws SettingError when an epoch has no batch, or is of unknown length and a setting counts epochs */
function checkEpoch({ training }: ExperimentSettings, dataset: Dataset): void {
  const { batchSize, accumulate } = training;
  const steps = dataset.stepsPerEpoch(samplesPerStep(training));
  if (steps === 0) {
    const isOneBatch = accumulate === 1;
    const step = isOneBatch
      ? `got ${batchSize}`
      : `a step of ${accumulate} batches of ${batchSize} takes ${samplesPerStep(training)}`;
    throw new SettingError(
      ['training', isOneBatch ? 'batchSize' : 'accumulate'],
      `there are only ${dataset.train.samples} training samples, ${isOneBatch ? '' : 'and '}${step}`,
      { remedy: isOneBatch ? 'Choose a smaller batch size.' : 'Choose a smaller batch size, or fewer batches.' },
    );
  }
  if (steps === undefined && training.learningRateSchedule.type === 'after-epoch') {
    throw new SettingError(['training', 'learningRateSchedule'], 'the length of an epoch of the data is unknown', {
      remedy: 'Export the number of samples from the data module (samples.train), or use the schedule "step".',
    });
  }
}

/** @throws SettingError when there is nothing to choose by but the test split */
function checkValidation({ training }: ExperimentSettings, { validation }: Dataset): void {
  if (validation !== undefined) return;
  const missing = (setting: string, reason: string) =>
    new SettingError(['training', setting], `${reason}, and the data have none`, {
      remedy: 'Add a validation split, or leave it out.',
    });
  if (training.learningRateSchedule.type === 'plateau')
    throw missing('learningRateSchedule', 'a plateau is one of the loss on the validation split');
  if (training.keepBest) throw missing('keepBest', 'the best model is chosen by the validation split');
  if (!training.testAtEnd)
    throw missing('testAtEnd', 'without the test split, the validation split tells how good the model is');
}
