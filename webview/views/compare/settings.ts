/** @file In which settings experiments differ. Pure. */
import { parseOverride } from '../../../server/protocol/experiment/overrides.ts';
import { formatSettingPath } from '../../../server/protocol/experiment/settingPath.ts';
import type { SettingPath } from '../../../server/protocol/experiment/settingPath.ts';

/** One setting that is not the same in all runs. */
export interface DifferingSetting {
  /** As `--set` takes it: `compression.layers.fc1.rate`. */
  readonly path: string;
  /** Per run; the value is undefined where the run does not have the setting. */
  readonly values: readonly { readonly text: string | undefined; readonly overridden: boolean }[];
}

export interface ComparedExperiment {
  /** As {@link flatten} gives them. */
  readonly settings: ReadonlyMap<string, string>;
  /** `path=value` of each value that was changed for this run alone. */
  readonly overrides: readonly string[];
}

/** The differing settings in the order of the experiment files. */
export function differingSettings(runs: readonly ComparedExperiment[]): DifferingSetting[] {
  const flattened = runs.map(({ settings }) => settings);
  const overridden = runs.map(({ overrides }) => new Set(overrides.map(overriddenPath)));
  return mergedOrder(flattened.map((settings) => [...settings.keys()]))
    .filter((path) => new Set(flattened.map((settings) => settings.get(path))).size > 1)
    .map((path) => ({
      path,
      values: flattened.map((settings, run) => ({
        text: settings.get(path),
        overridden: [...overridden[run]].some((prefix) => isAtOrBelow(path, prefix)),
      })),
    }));
}

/** The leaves of an experiment by their paths, written as a user would write them. An empty list or object is a leaf; `$schema` is no setting. */
export function flatten(value: unknown): Map<string, string> {
  const leaves = new Map<string, string>();
  visit(value, []);
  leaves.delete('$schema');
  return leaves;

  function visit(part: unknown, path: SettingPath): void {
    const entries = part !== null && typeof part === 'object' ? entriesOf(part) : [];
    if (path.length > 0 && entries.length === 0) leaves.set(formatSettingPath(path), literal(part));
    for (const [key, child] of entries) if (child !== undefined) visit(child, [...path, key]);
  }
}

function entriesOf(part: object): [string | number, unknown][] {
  return Array.isArray(part) ? part.map((child, index) => [index, child]) : Object.entries(part);
}

function literal(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function overriddenPath(text: string): string {
  const override = parseOverride(text);
  return override === undefined ? text : formatSettingPath(override.path);
}

function isAtOrBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || /[.[]/.test(path[prefix.length]));
}

/** All paths, each list's order kept as far as the others allow: a path comes right behind the one before it. */
function mergedOrder(lists: readonly (readonly string[])[]): string[] {
  const merged: string[] = [];
  for (const list of lists) {
    let at = 0;
    for (const path of list) {
      const known = merged.indexOf(path);
      if (known === -1) merged.splice(at++, 0, path);
      else at = known + 1;
    }
  }
  return merged;
}
