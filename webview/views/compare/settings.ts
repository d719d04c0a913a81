/** @file In which settings experiments differ. Pure. */
import { formatSettingPath } from '../../../server/protocol/experiment/settingPath.ts';
import type { SettingPath } from '../../../server/protocol/experiment/settingPath.ts';

/** One setting that is not the same in all runs. */
export interface DifferingSetting {
  /** As `--set` takes it: `compression.layers.fc1.rate`. */
  readonly path: string;
  /** Per run; undefined where the run does not have the setting. */
  readonly values: readonly (string | undefined)[];
}

/**
 * The differing settings in the order of the experiment files.
 * @param flattened the settings of each run, as {@link flatten} gives them
 */
export function differingSettings(flattened: readonly ReadonlyMap<string, string>[]): DifferingSetting[] {
  return mergedOrder(flattened.map((settings) => [...settings.keys()]))
    .filter((path) => new Set(flattened.map((settings) => settings.get(path))).size > 1)
    .map((path) => ({ path, values: flattened.map((settings) => settings.get(path)) }));
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
