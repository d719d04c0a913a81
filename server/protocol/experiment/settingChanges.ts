/** @file The settings in which two experiments differ, and those that a user can change while a run trains. Pure. */
import { isRecord } from '../record.ts';
import { methodFacts, methodNames } from './methods/index.ts';
import { policyFacts } from './methods/policies.ts';
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

/** The settings, apart from parameters of layers, that a run can take while it trains. */
const changeable = [
  /^training\.optimizer\.learningRate$/,
  /^training\.learningRateSchedule\b/,
  /^compression\.(?:distortEvery|schedule)\b/,
];
/** The parameters of layers; a run can take all of them but those by which weights are compressed together. */
const layerParameter = /^compression\.layers(?:\.[^.[]+|\["(?:[^"\\]|\\.)*"\])\.(?<name>[^.[]+)/;

const groupings = methodNames.map((method) => methodFacts[method].groupedBy);
const parametersInWords = methodNames.flatMap((method) => methodFacts[method].changeable);

/** For people: the settings that {@link whyFixed} lets pass. */
export const CHANGEABLE_SETTINGS =
  `the layers' ${parametersInWords.slice(0, -1).join(', ')} and ${parametersInWords.at(-1)}, the schedule, distortEvery, ` +
  'the learning rate and its schedule';

/**
 * @returns the reason why a run cannot take a change of a setting while it trains; undefined where it can
 * @param path name of the setting
 * @param experiment the experiment that is trained
 */
export function whyFixed(path: string, { compression }: ExperimentSettings): string | undefined {
  const parameter = layerParameter.exec(path)?.groups?.name;
  const isChangeable =
    parameter === undefined ? changeable.some((pattern) => pattern.test(path)) : !groupings.includes(parameter);
  if (!isChangeable) return 'a run keeps it from its first step on';
  return compression && path.startsWith('compression.') ? policyFacts[compression.policy].keepsSettings : undefined;
}
