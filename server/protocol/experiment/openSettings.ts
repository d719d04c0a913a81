/** @file The rates, bits and ranks that a file with a `target` leaves open, for `deeptwist search` to find. */
import { isRecord } from '../record.ts';
import { isSizePredicted, methodFacts } from './methods/index.ts';
import { policyFacts } from './methods/policies.ts';
import type { Method, PolicyId } from './schema.ts';
import type { SettingProblem } from './problem.ts';
import { formatSettingPath, valueAt, type SettingPath } from './settingPath.ts';
import { compressionsAsWritten } from './writtenCompression.ts';

/** A setting of a layer that has no value yet. */
export interface OpenSetting {
  /** `compression.layers.fc1.rate` */
  readonly path: SettingPath;
  readonly method: Method;
  /** `rate`, `bits`, `rank` */
  readonly parameter: string;
}

/**
 * The settings that are open: none in a file without a target.
 * @param document the settings as they stand in the file, before validation
 */
export function openSettings(document: unknown): OpenSetting[] {
  if (valueAt(document, ['target']) === undefined) return [];
  return compressionsAsWritten(document).flatMap(({ path, method, policy, layers }) => {
    if (!method || !isSizePredicted(method)) return [];
    const [parameter] = Object.keys(methodFacts[method].parameters);
    return Object.entries(layers).flatMap(([key, layer]): OpenSetting[] =>
      isOpen({ method, policy }, layer) ? [{ path: [...path, 'layers', key, parameter], method, parameter }] : [],
    );
  });
}

/** True for a layer that lacks the value that says how far it is compressed, unless a policy or another setting takes its place. */
export function isOpen({ method, policy }: { method: Method; policy: PolicyId | undefined }, layer: unknown): boolean {
  const [[parameter, { fixedBy }]] = Object.entries(methodFacts[method].parameters);
  if (!isRecord(layer) || layer[parameter] !== undefined || (policy && policyFacts[policy].findsRate)) return false;
  return fixedBy === undefined || methodFacts[method].hasThreshold?.(layer) !== false;
}

/**
 * The settings with the weakest value in the place of each that is open, by which the rest of a file can be checked.
 * @param document the settings as they stand in the file; it stays as it is
 */
export function withOpenSettings(document: unknown): unknown {
  const open = openSettings(document);
  if (open.length === 0) return document;
  const filled = { ...(document as Record<string, unknown>) };
  for (const { path, method, parameter } of open) write(filled, path, weakest(method, parameter));
  return filled;
}

function weakest(method: Method, parameter: string): number {
  const { smallerModel, range } = methodFacts[method].parameters[parameter];
  const { lowest, highest } = range(1);
  return smallerModel === 'greater values' ? lowest : highest;
}

/** Sets a value, with copies of the objects and lists on the way in the place of those that are there. */
function write(copy: Record<string | number, unknown>, [key, ...rest]: SettingPath, value: unknown): void {
  if (rest.length === 0) {
    copy[key] = value;
    return;
  }
  const inner = copy[key];
  const own = (Array.isArray(inner) ? [...(inner as unknown[])] : { ...(inner as object) }) as Record<
    string | number,
    unknown
  >;
  copy[key] = own;
  write(own, rest, value);
}

/** What is wrong with a file that leaves settings open, for whatever trains it as it is. @param document as for {@link openSettings} */
export function openProblems(document: unknown): SettingProblem[] {
  const [first, ...others] = openSettings(document);
  if ((first as OpenSetting | undefined) === undefined) return [];
  const rest = others.length === 0 ? 'has' : `and ${others.length} more have`;
  const message =
    `it is to be reached first: ${formatSettingPath(first.path)} ${rest} no value yet. \`deeptwist search FILE\` finds them; to train the file as it ` +
    'is, give the values';
  return [{ path: ['target'], code: 'combination', at: 'key', message, related: [first.path] }];
}
