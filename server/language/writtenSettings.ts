/** @file Settings as they stand in a file that may be wrong elsewhere: what is not of the wanted kind counts as not there. */
import { valueAt as valueIn, type SettingPath } from '../protocol/experiment/settingPath.ts';
import type { ExperimentDocument } from './experimentDocument.ts';

export function valueAt({ settings }: ExperimentDocument, path: SettingPath): unknown {
  return valueIn(settings, path);
}

export function textAt(document: ExperimentDocument, path: SettingPath): string | undefined {
  const value = valueAt(document, path);
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(document: ExperimentDocument, path: SettingPath): number | undefined {
  const value = valueAt(document, path);
  return typeof value === 'number' ? value : undefined;
}

/** A number of steps, samples or bits: undefined where it is not a positive integer. */
export function countAt(document: ExperimentDocument, path: SettingPath): number | undefined {
  const value = numberAt(document, path);
  return value !== undefined && Number.isInteger(value) && value > 0 ? value : undefined;
}

/** An object; of another value, an empty one. */
export function recordAt(document: ExperimentDocument, path: SettingPath): Readonly<Record<string, unknown>> {
  const value = valueAt(document, path);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
