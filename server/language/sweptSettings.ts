/** @file The settings that `sweep` of an experiment file names. */
import { parseSettingPath, type SettingPath } from '../protocol/experiment/settingPath.ts';
import { isRecord } from '../protocol/record.ts';

/** True for the objects whose keys are names of settings: `sweep.vary`, and each run of `sweep.runs`. */
export function namesSettings(path: SettingPath): boolean {
  return (
    path[0] === 'sweep' && ((path.length === 2 && path[1] === 'vary') || (path.length === 3 && path[1] === 'runs'))
  );
}

/** The setting that a key in `sweep` names, or that one of the values there is for; undefined for what else is in `sweep`. */
export function sweptSetting(path: SettingPath): SettingPath | undefined {
  const length = path[1] === 'vary' ? 3 : 4;
  const name = path[length - 1];
  if (typeof name !== 'string' || !namesSettings(path.slice(0, length - 1))) return undefined;
  return parseSettingPath(name);
}

/** The settings of a file without its sweep, which cannot be varied. */
export function withoutSweep(settings: unknown): unknown {
  if (!isRecord(settings)) return settings;
  const { sweep: _, ...others } = settings;
  return others;
}
