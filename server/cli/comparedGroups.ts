/** @file What `deeptwist compare` says of runs some of which differ in their seed alone. */
import { formatCount } from '../protocol/formatQuantity.ts';
import { groupBy } from '../protocol/groupBy.ts';
import {
  deviationText,
  differencesOf,
  differenceText,
  isSameMeasure,
  MARGIN_NOTE,
  meanText,
  measuresOf,
  measureTitle,
  seedGroupKey,
  seedOf,
  seedsText,
  withoutSeed,
  type Measure,
  type MeasureName,
  type SeededResult,
} from '../protocol/run/seedGroups.ts';
import { styled, type Terminal } from './terminal.ts';
import { textTable } from './textTable.ts';

/** A run that is compared. */
export interface ComparedRun {
  readonly id: string;
  /** As `flattenSettings` gives them; empty where it has not begun. */
  readonly settings: ReadonlyMap<string, string>;
  /** Absent where it is not finished. */
  readonly result?: SeededResult | undefined;
}

interface Group {
  /** `A`, `B`, … */
  readonly name: string;
  readonly runs: readonly ComparedRun[];
  readonly finished: readonly SeededResult[];
  readonly measures: readonly Measure[];
}

/** The groups in the order of their first runs. */
export function groupRuns(runs: readonly ComparedRun[]): Group[] {
  // Two runs of which nothing is known are not the same experiment.
  const groups = groupBy(runs, ({ id, settings }) => (settings.size === 0 ? id : seedGroupKey(settings)));
  return [...groups.values()].map((own, i) => {
    const finished = own.flatMap(({ result }) => result ?? []);
    return { name: groupName(i), runs: own, finished, measures: measuresOf(finished) };
  });
}

/** True where some of the runs differ in their seed alone. */
export function haveSeveralSeeds(groups: readonly Group[]): boolean {
  return groups.some(({ runs }) => new Set(runs.map(({ settings }) => seedOf(settings))).size > 1);
}

function groupName(index: number): string {
  return index < 26 ? String.fromCharCode('A'.charCodeAt(0) + index) : `A${index - 25}`;
}

/** Rows of the settings that are not the same in all runs: name, then the value in each; empty where a run has none. */
export function differingSettings(runs: readonly ReadonlyMap<string, string>[]): string[][] {
  const names = new Set(runs.flatMap((settings) => [...settings.keys()]));
  return [...names]
    .map((name) => [name, ...runs.map((settings) => settings.get(name) ?? '')])
    .filter(([, first, ...others]) => others.some((value) => value !== first));
}

/** A column a group, and in sentences the differences from the first of them, and which runs they are. */
export function groupColumns(groups: readonly Group[]) {
  const settings = differingSettings(groups.map(settingsOf));
  const all = groups.flatMap(({ measures }) => measures);
  const names: readonly MeasureName[] = ['test', 'validation', 'bytes'];
  // A row for each metric: groups need not have the same.
  const shown = names.flatMap((name) => {
    const metrics = new Set(all.flatMap((measure) => (measure.name === name ? [measure.metric] : [])));
    return [...metrics].map((metric) => ({ name, metric }));
  });
  const [first, ...others] = groups;
  const differences = others.flatMap((other) =>
    differencesOf(first.measures, other.measures).map(
      ({ name, metric, difference }) =>
        `${other.name} - ${first.name}  ${measureTitle(name, metric)} ${differenceText(name, difference)}`,
    ),
  );
  const members = groups.map(({ name, runs }) => `${name}  ${runs.map(({ id }) => id).join(' ')}`);
  return {
    header: ['', ...groups.map(({ name }) => name)],
    rows: [
      ['seeds', ...groups.map(seedsOf)],
      ...settings,
      ...shown.flatMap((measure) => {
        const { name, metric } = measure;
        const own = groups.map(({ measures }) => ({ measures: measures.filter((one) => isSameMeasure(one, measure)) }));
        return [
          [measureTitle(name, metric), ...own.map((group) => meanText(group, name))],
          ['  standard deviation', ...own.map((group) => deviationText(group, name))],
        ];
      }),
    ],
    differences,
    members,
    notes: [...differences, ...members, `${MARGIN_NOTE}.`],
  };
}

/** The same as lines of a terminal. */
export function groupLines(groups: readonly Group[], terminal: Terminal): string[] {
  const { differences, members, ...columns } = groupColumns(groups);
  const [header, ...rows] = textTable(columns, terminal.columns);
  return [
    styled(terminal, 'bold', header),
    ...rows,
    '',
    ...(differences.length > 0 ? [...differences, ''] : []),
    ...members,
    styled(terminal, 'dim', `${MARGIN_NOTE}.`),
  ];
}

/** The same for programs. */
export function groupsJson(groups: readonly Group[]) {
  const settings = differingSettings(groups.map(settingsOf));
  const [first, ...others] = groups;
  return {
    groups: groups.map((group, i) => ({
      name: group.name,
      runs: group.runs.map(({ id }) => id),
      seeds: group.finished.map(({ seed }) => seed),
      metric: group.finished[0]?.summary.metric,
      settings: Object.fromEntries(settings.map(([name, ...values]) => [name, values[i]])),
      results: Object.fromEntries(group.measures.map(({ name, statistics }) => [name, statistics])),
    })),
    differences: others.flatMap((other) =>
      differencesOf(first.measures, other.measures).map(({ name, difference }) => ({
        from: first.name,
        to: other.name,
        result: name,
        ...difference,
      })),
    ),
  };
}

function settingsOf({ runs: [{ settings }] }: Group): Map<string, string> {
  return withoutSeed(settings);
}

function seedsOf({ runs, finished }: Group): string {
  const left = runs.length - finished.length;
  const unfinished = left === 0 ? '' : `${formatCount(left)} not finished`;
  return [seedsText(finished.map(({ seed }) => seed)), unfinished].filter((part) => part !== '').join('; ');
}
