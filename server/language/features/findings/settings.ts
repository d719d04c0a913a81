/** @file Settings as they stand in a file that may be wrong elsewhere: what is not of the wanted kind counts as not there. */
import type { SettingPath } from '../../../protocol/settingPath.ts';
import type { ExperimentDocument } from '../../experimentDocument.ts';

export function valueAt({ settings }: ExperimentDocument, path: SettingPath): unknown {
  return path.reduce((value, key) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined), settings);
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
  return isRecord(value) && !Array.isArray(value) ? value : {};
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
