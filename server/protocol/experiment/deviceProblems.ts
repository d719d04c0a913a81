/** @file What is wrong with `training.device` whatever the model and the machine are. */
import type { SettingProblem } from './problem.ts';
import { valueAt, type SettingPath } from './settingPath.ts';

const DEVICE: SettingPath = ['training', 'device'];
const EXECUTOR: SettingPath = ['training', 'executor'];

/**
 * Checks that a step which is to run on the graphics processor is compiled.
 * @param document the settings as they stand in the file, before validation
 */
export function deviceProblems(document: unknown): SettingProblem[] {
  const device = valueAt(document, DEVICE);
  if ((device !== 'webgpu' && device !== 'auto') || valueAt(document, EXECUTOR) !== 'eager') return [];
  const message = `only compiled steps run on the graphics processor, and executor is "eager": set device to "cpu", or executor to "auto"`;
  return [{ path: DEVICE, code: 'combination', at: 'value', message, related: [EXECUTOR] }];
}
