/** @file The runs of a sweep as rows: one for each run, or one for those that differ in the seed alone. Pure. */
import { parseOverride } from '../../../server/protocol/experiment/overrides.ts';
import { formatSettingPath, type SettingPath } from '../../../server/protocol/experiment/settingPath.ts';
import { isRecord } from '../../../server/protocol/record.ts';
import { sampleStatistics, type SampleStatistics } from '../../../server/protocol/run/sampleStatistics.ts';
import { isSeed, measureOf, type MeasureName } from '../../../server/protocol/run/seedGroups.ts';
import { sweptGroups } from '../../../server/protocol/run/sweptGroups.ts';
import { measuredSummary, type SweptRunRow } from '../../../server/protocol/wire/sweep.ts';

/** What is known of a row by numbers: the mean over its seeds, with its margin where there are several. */
export type ItemMeasure = MeasureName | 'loss' | 'ratio' | 'seconds';

export interface SweepItem {
  /** The same over all updates. */
  readonly id: string;
  /** In the order of the plan. */
  readonly runs: readonly SweptRunRow[];
  /** What was varied, but for the seed where runs are taken together, by the names of settings. */
  readonly settings: ReadonlyMap<string, number | string>;
  readonly measures: ReadonlyMap<ItemMeasure, Pick<SampleStatistics, 'mean' | 'margin'>>;
  /** True where one of its runs is pinned. */
  readonly isPinned: boolean;
  /** What is noted of its runs, in their order, each text once. */
  readonly notes: readonly string[];
}

export interface SweepItems {
  readonly items: readonly SweepItem[];
  /** Name of the metric; empty where no run is finished. */
  readonly metric: string;
  /** The measure by which the best is chosen. */
  readonly by: MeasureName;
  /** Names of the settings that are varied, in the order in which they come. */
  readonly settings: readonly string[];
}

/** @param together true where runs that differ in the seed alone are one row */
export function itemsOf(rows: readonly SweptRunRow[], together: boolean): SweepItems {
  const results = rows.map((row) => ({ row, seed: row.seed, summary: row.result && measuredSummary(row.result) }));
  // With its line, each run is a combination by itself.
  const { groups, metric, by } = sweptGroups(results, ({ row: { vary, line } }) =>
    together ? vary : [...vary, `line=${line}`],
  );
  const items = groups.map(({ results: own, measures, ratio }): SweepItem => {
    const runs = own.map(({ row }) => row).sort((a, b) => a.line - b.line);
    const seconds = runs.flatMap(({ result }) => result?.seconds ?? []);
    const losses = runs.flatMap(({ result }) => (result?.loss === undefined ? [] : [result.loss ?? NaN]));
    const names: readonly MeasureName[] = ['validation', 'test', 'bytes'];
    return {
      id: runs[0].id,
      runs,
      settings: valuesOf(runs[0].vary, !together),
      measures: new Map<ItemMeasure, Pick<SampleStatistics, 'mean' | 'margin'>>([
        ...names.flatMap((name) => {
          const statistics = measureOf({ measures }, name)?.statistics;
          return statistics ? [[name, statistics] as const] : [];
        }),
        ...(losses.length === 0 ? [] : [['loss', sampleStatistics(losses)] as const]),
        ...(ratio === undefined ? [] : [['ratio', { mean: ratio }] as const]),
        ...(seconds.length === 0 ? [] : [['seconds', { mean: sampleStatistics(seconds).mean }] as const]),
      ]),
      isPinned: runs.some(({ note }) => note?.pinned),
      notes: [...new Set(runs.flatMap(({ note }) => (note?.text ? [note.text] : [])))],
    };
  });
  return { items, metric, by, settings: [...new Set(items.flatMap((item) => [...item.settings.keys()]))] };
}

function valuesOf(vary: readonly string[], withSeed: boolean): Map<string, number | string> {
  return new Map(
    vary.flatMap((text) => {
      const override = parseOverride(text);
      const isLeft = !override || (isSeed(formatSettingPath(override.path)) && !withSeed);
      return isLeft ? [] : leaves(override.path, override.value);
    }),
  );
}

/** Numbers as such, and everything else as text; of an object, each of its settings. */
function leaves(path: SettingPath, value: unknown): [name: string, value: number | string][] {
  if (isRecord(value)) return Object.entries(value).flatMap(([key, inner]) => leaves([...path, key], inner));
  const isPlain = typeof value === 'number' || typeof value === 'string';
  return [[formatSettingPath(path), isPlain ? value : JSON.stringify(value)]];
}
