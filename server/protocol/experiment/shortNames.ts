/** @file Short names of settings where few of them are told apart, such as those that a sweep varies. */
import { formatSettingPath, parseSettingPath } from './settingPath.ts';

/**
 * The shortest end of each name that no other of them has: `rate` for `compression.layers.fc1.rate`, or `fc1.rate` where another layer's
 * rate is among them. What is no name of a setting stays as it is.
 * @param names of settings, as `--set` takes them
 * @param taken names that stand beside the short ones and mean something else, such as `loss` for a result
 */
export function shortNames(names: readonly string[], taken: Iterable<string> = []): ReadonlyMap<string, string> {
  const ends = new Map(names.map((name) => [name, endsOf(name)]));
  const count = new Map<string, number>();
  for (const name of taken) count.set(name, 1);
  for (const all of ends.values()) for (const end of all) count.set(end, (count.get(end) ?? 0) + 1);
  return new Map([...ends].map(([name, all]) => [name, all.find((end) => count.get(end) === 1) ?? name]));
}

/** The ends of a name, the shortest first; none is the number of a list's entry or a `type`, which say nothing by themselves. */
function endsOf(name: string): string[] {
  const path = parseSettingPath(name);
  if (!path) return [name];
  const last = path.length - 1;
  const starts = path.map((_, i) => i).filter((i) => typeof path[i] === 'string' && !(i > 0 && i === last && path[i] === 'type')); // prettier-ignore
  return starts.reverse().map((start) => formatSettingPath(path.slice(start)));
}
