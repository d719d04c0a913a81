/** @file The settings in which two experiments differ. Pure. */
import { isRecord } from '../record.ts';
import type { ExperimentSettings } from './schema.ts';
import { formatSettingPath } from './settingPath.ts';
import type { SettingPath } from './settingPath.ts';

/** A setting that differs between two experiments. */
export interface SettingChange {
  /** As `--set` takes it: `compression.layers.fc1.rate`. */
  readonly path: string;
  /** Absent where the first has no such setting. */
  readonly from?: unknown;
  /** Absent where the second has no such setting. */
  readonly to?: unknown;
}

/**
 * Finds the smallest settings that differ, in the order of `to`; those that only `from` has come last. A part that only one of
 * the two has is one setting. Both have their defaults filled in, so that a default that is written out is no difference.
 */
export function settingChanges(from: ExperimentSettings, to: ExperimentSettings): SettingChange[] {
  return changesWithin(from, to, []).filter(({ path }) => path !== '$schema');
}

function changesWithin(from: unknown, to: unknown, path: SettingPath): SettingChange[] {
  if (isRecord(from) && isRecord(to)) {
    const keys = new Set([...Object.keys(to), ...Object.keys(from)]);
    return [...keys].flatMap((key) => changesWithin(from[key], to[key], [...path, key]));
  }
  if (Array.isArray(from) && Array.isArray(to) && from.length === to.length && [...from, ...to].every(isRecord))
    return to.flatMap((value, i) => changesWithin(from[i], value, [...path, i]));
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  return [{ path: formatSettingPath(path), ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
}

/** The change as a `path=value` text; `path=null` removes the setting. */
export function overrideOf({ path, to }: SettingChange): string {
  return `${path}=${JSON.stringify(to ?? null)}`;
}

/** `compression.layers.fc1.rate 0.9 -> 0.95`. */
export function describeChange({ path, from, to }: SettingChange): string {
  return `${path} ${valueText(from)} -> ${valueText(to)}`;
}

/** A setting's value as a user writes it; `none` where there is no such setting. */
export function valueText(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}
