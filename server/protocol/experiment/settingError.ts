/** @file A setting that is right by itself and does not fit the model or the data. */
import { formatSettingPath } from './settingPath.ts';
import type { SettingPath } from './settingPath.ts';
import { ExitCode, UserError } from '../userError.ts';

/**
 * Thrown where the setting is used, far from the text of the experiment file; whoever has the text gives the error its
 * place with `placed`. The message alone names the setting: `compression.layers.fc9: matches no layer of the model`.
 */
export class SettingError extends UserError {
  readonly setting: SettingPath;
  /** What is wrong with it: the message without the setting's name, without a full stop. */
  readonly reason: string;
  /** The part of the setting that is at fault: its name or its value. */
  readonly at: 'key' | 'value';

  constructor(
    setting: SettingPath,
    reason: string,
    { at = 'value', ...options }: { at?: 'key' | 'value'; remedy?: string; cause?: unknown } = {},
  ) {
    super(`${formatSettingPath(setting)}: ${reason}`, { ...options, exitCode: ExitCode.usage });
    this.setting = setting;
    this.reason = reason;
    this.at = at;
  }

  /** The same error of a setting that was given as seen from another one. */
  within(path: SettingPath): SettingError {
    const { at, remedy, cause } = this;
    return new SettingError([...path, ...this.setting], this.reason, {
      at,
      cause,
      ...(remedy !== undefined && { remedy }),
    });
  }
}

/** Calls `act`, whose errors name settings as they are seen from `path`; the errors that this throws name them from the root. */
export function settingsWithin<T>(path: SettingPath, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof SettingError ? error.within(path) : error;
  }
}
