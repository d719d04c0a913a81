/** @file Runs of a sweep by what was varied: a group for each combination of settings, with the runs that differ in the seed alone taken together. */
import { parseOverride } from '../experiment/overrides.ts';
import { formatSettingPath } from '../experiment/settingPath.ts';
import { groupBy } from '../groupBy.ts';
import { compressedSize } from './compressedSize.ts';
import { isGreaterBetter } from './metricDirection.ts';
import {
  measureOf,
  measuresOf,
  seedGroupKey,
  withoutSeed,
  type Measure,
  type MeasureName,
  type SeededResult,
} from './seedGroups.ts';

/** A run of a sweep. */
export interface SweptResult {
  readonly seed: number;
  /** Absent where it is not finished. */
  readonly summary?: SeededResult['summary'] | undefined;
}

/** Runs of a sweep that differ in the seed alone. */
export interface SweptGroup<Result extends SweptResult> {
  /** The settings that are varied, but for the seed, by their names. */
  readonly settings: ReadonlyMap<string, string>;
  readonly results: readonly Result[];
  /** Only the bytes where the runs have another metric than {@link SweptGroups.metric}: two metrics are not compared. */
  readonly measures: readonly Measure[];
  /** How many times smaller the compressed model is than the dense one: the mean over the finished runs; undefined where there are none. */
  readonly ratio: number | undefined;
}

export interface SweptGroups<Result extends SweptResult> {
  /** Best first, and of equally good ones the smallest; those that have diverged, then those without a result, come last. */
  readonly groups: readonly SweptGroup<Result>[];
  /** Name of the metric, of the first run that has one; empty where no run is finished. */
  readonly metric: string;
  /** What they are sorted by: the metric on the validation split where all have it, since choices are made by it, else on the test split. */
  readonly by: MeasureName;
}

/** @param varyOf the `path=value` texts in which a run differs from the others */
export function sweptGroups<Result extends SweptResult>(
  results: readonly Result[],
  varyOf: (result: Result) => readonly string[],
): SweptGroups<Result> {
  const metric = results.find(({ summary }) => summary)?.summary?.metric ?? '';
  const byCombination = groupBy(results, (result) => seedGroupKey(variedSettings(varyOf(result))));
  const groups = [...byCombination.values()].map((own): SweptGroup<Result> => {
    const finished = own.flatMap(({ seed, summary }) => (summary ? [{ seed, summary }] : []));
    const ratios = finished.map(({ summary }) => compressedSize(summary).ratio);
    return {
      settings: withoutSeed(variedSettings(varyOf(own[0]))),
      results: own,
      measures: measuresOf(finished).filter((measure) => (measure.metric ?? metric) === metric),
      ratio: ratios.length === 0 ? undefined : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length,
    };
  });
  const withResults = groups.filter((group) => measureOf(group, 'test'));
  const by = withResults.every((group) => measureOf(group, 'validation')) ? 'validation' : 'test';
  const direction = isGreaterBetter(metric) ? -1 : 1;
  const rank = (group: SweptGroup<Result>): [place: number, worth: number, bytes: number] => {
    const mean = measureOf(group, by)?.statistics.mean;
    const bytes = measureOf(group, 'bytes')?.statistics.mean ?? 0;
    if (mean === undefined) return [2, 0, bytes];
    // Means of the same values in another order differ by their rounding.
    return Number.isNaN(mean) ? [1, 0, bytes] : [0, direction * Number(mean.toPrecision(12)), bytes];
  };
  const ranked = groups.map((group) => ({ group, rank: rank(group) }));
  ranked.sort(({ rank: a }, { rank: b }) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  return { groups: ranked.map(({ group }) => group), metric, by };
}

/** The settings in which a run differs from the others of its sweep, by their names. */
export function variedSettings(vary: readonly string[]): Map<string, string> {
  return new Map(
    vary.flatMap((text) => {
      const override = parseOverride(text);
      if (!override) return [];
      const { path, value } = override;
      return [[formatSettingPath(path), typeof value === 'string' ? value : JSON.stringify(value)]];
    }),
  );
}
