/** @file In what the runs of an experiment differ, as the names by which lists tell them apart. Pure. */
import { shortNames } from '../../server/protocol/experiment/shortNames.ts';

/**
 * `rate 0.95, seed 2` for each run, the settings with the most values first.
 * @param runs settings of each run by their names
 * @returns by the key of a run; none for runs that are the same
 */
export function differencesBetween(runs: ReadonlyMap<string, ReadonlyMap<string, string>>): Map<string, string> {
  const all = [...runs.values()];
  const valuesOf = (name: string) => new Set(all.map((settings) => settings.get(name))).size;
  const counted = [...new Set(all.flatMap((settings) => [...settings.keys()]))].map((name) => ({
    name,
    values: valuesOf(name),
  }));
  const varied = counted.filter(({ values }) => values > 1).sort((a, b) => b.values - a.values);
  const names = shortNames(varied.map(({ name }) => name));
  const told = Array.from(runs, ([key, settings]): [string, string] => {
    const parts = varied.flatMap(({ name }) => {
      const value = settings.get(name);
      return value === undefined ? [] : [`${names.get(name) ?? name} ${value}`];
    });
    return [key, parts.join(', ')];
  });
  return new Map(told.filter(([, text]) => text !== ''));
}
