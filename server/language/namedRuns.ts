/** @file The settings of an experiment file that can name a run. */
import type { SettingPath } from '../protocol/experiment/settingPath.ts';

export const runSettings: readonly SettingPath[] = [
  ['start'],
  ['start', 'from'],
  ['distillation', 'teacher'],
  ['distillation', 'teacher', 'weights'],
];

/** True for a setting that can name a run. */
export function canNameRun(path: SettingPath): boolean {
  return runSettings.some((setting) => setting.join('/') === path.join('/'));
}
