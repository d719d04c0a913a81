/** @file The error for a model that the data of an experiment cannot train. */
import { SettingError } from '../protocol/experiment/settingError.ts';

/** @param reason continues 'the model does not fit the data' */
export function unfitModel(reason: string): SettingError {
  return new SettingError(['model'], `the model does not fit the data: ${reason}`, {
    remedy:
      'Change the model, the data, or training.loss (the sparse losses take labels, the others one value an output).',
  });
}
