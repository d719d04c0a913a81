/** @file The results of a sweep: a row for each combination of settings, with the runs that differ in the seed alone taken together. */
import { shownValue } from '../protocol/experiment/shownValue.ts';
import { formatCount, formatRatio } from '../protocol/formatQuantity.ts';
import type { Fault } from '../protocol/run/fault.ts';
import type { Summary } from '../protocol/run/events.ts';
import { compressedSize } from '../protocol/run/compressedSize.ts';
import type { RunRecord } from '../runs/runRecord.ts';
import type { LineState } from '../sweeps/runQueue.ts';
import type { PlannedRun } from '../sweeps/sweepFolder.ts';
import {
  deviationText,
  MARGIN_NOTE,
  meanText,
  measureOf,
  measureTitle,
  seedsText,
  valueText,
  type MeasureName,
} from '../protocol/run/seedGroups.ts';
import { sweptGroups, type SweptGroup } from '../protocol/run/sweptGroups.ts';
import { styled, type Terminal } from './terminal.ts';
import { textTable } from './textTable.ts';

/** A line of the plan, and what it came to. */
export interface SweepResult {
  readonly planned: PlannedRun;
  readonly state: LineState;
  readonly seed: number;
  /** Absolute path of the run folder. */
  readonly path: string;
  /** Absent where it is not finished. */
  readonly summary?: Summary | undefined;
  /** What successive halving has stopped it by. */
  readonly early?: RunRecord['stoppedEarly'];
  /** Why the run is not finished; absent where nothing is known to be wrong. */
  readonly problem?: string | undefined;
  /** Why it fails again when it is gone on with. */
  readonly fault?: Fault | undefined;
}

type SweepRow = SweptGroup<SweepResult>;

const groupsOf = (results: readonly SweepResult[]) => sweptGroups(results, ({ planned }) => planned.vary);

/** Rows that are shown; programs get all of them. */
const MOST_ROWS = 200;

/** The lines of a table with a row for each combination, best first; of runs that differ in the seed alone, with a row for each result. */
export function sweepTable(results: readonly SweepResult[], terminal: Terminal): string[] {
  const { groups: rows, metric, by } = groupsOf(results);
  if (rows.length === 1 && rows[0].results.length > 1) return seedLines(rows[0], metric, terminal);
  const names = [...new Set(rows.flatMap(({ settings }) => [...settings.keys()]))];
  const measures: readonly MeasureName[] = ['validation', 'test', 'bytes'];
  const shown = measures.filter((name) => rows.some((row) => measureOf(row, name)));
  const haveSeeds = rows.some(({ results: own }) => new Set(own.map(({ seed }) => seed)).size > 1);
  const haveDeviation = (name: MeasureName) => haveSeeds && name === by;
  const lines = rows
    .slice(0, MOST_ROWS)
    .map((row) => [
      ...names.map((name) => shortened(row.settings.get(name) ?? '')),
      ...(haveSeeds ? [seedsText(row.results.map(({ seed }) => seed))] : []),
      ...shown.flatMap((name) => [meanText(row, name), ...(haveDeviation(name) ? [deviationText(row, name)] : [])]),
      row.ratio === undefined ? '' : formatRatio(row.ratio),
      statesText(row),
    ]);
  const [header, ...body] = textTable(
    {
      header: [
        ...names,
        ...(haveSeeds ? ['seeds'] : []),
        ...shown.flatMap((name) => [measureTitle(name, metric), ...(haveDeviation(name) ? ['deviation'] : [])]),
        'smaller',
        'run',
      ],
      rows: lines,
    },
    terminal.columns,
  );
  const rest = rows.length - lines.length;
  return [
    styled(terminal, 'dim', header),
    ...body,
    ...(rest > 0 ? [styled(terminal, 'dim', `and ${formatCount(rest)} more, which --json prints`)] : []),
    ...(shown.length > 0 ? [styled(terminal, 'dim', `Sorted by ${measureTitle(by, metric)}, best first.`)] : []),
    ...(haveSeeds ? [styled(terminal, 'dim', `${MARGIN_NOTE}; deviation is that of the runs.`)] : []),
  ];
}

/** The results of runs that differ in the seed alone. */
function seedLines({ results, measures }: SweepRow, metric: string, terminal: Terminal): string[] {
  const finished = results.filter(({ summary }) => summary);
  const [header, ...body] = textTable(
    {
      header: [`seeds ${seedsText(finished.map(({ seed }) => seed))}`, 'mean', '95% interval of it', 'deviation'],
      rows: measures.map(({ name, statistics: { mean, margin, deviation } }) => [
        measureTitle(name, metric),
        valueText(name, mean),
        margin === undefined ? '' : `${valueText(name, mean - margin)} to ${valueText(name, mean + margin)}`,
        deviation === undefined ? '' : valueText(name, deviation),
      ]),
    },
    terminal.columns,
  );
  return measures.length === 0 ? [] : [styled(terminal, 'dim', header), ...body];
}

/** The same for programs. */
export function sweepJson(results: readonly SweepResult[]) {
  const { groups: rows, metric, by } = groupsOf(results);
  return {
    metric,
    sortedBy: by,
    groups: rows.map(({ settings, results: own, measures, ratio }) => ({
      settings: Object.fromEntries(settings),
      runs: own.map(({ planned }) => planned.run),
      seeds: own.map(({ seed }) => seed),
      finished: own.filter(({ summary }) => summary).length,
      results: Object.fromEntries(measures.map(({ name, statistics }) => [name, statistics])),
      ratio,
    })),
  };
}

/** A run's line for programs. */
export function resultJson({ planned, state, seed, path, summary, early, problem, fault }: SweepResult) {
  const size = summary && compressedSize(summary);
  return {
    line: planned.line,
    run: planned.run,
    path,
    state,
    set: planned.vary,
    seed,
    ...(summary && {
      metric: summary.metric,
      test: summary.test,
      ...(summary.validation !== undefined && { validation: summary.validation }),
      bytes: size?.bytes,
      ratio: size?.ratio,
    }),
    ...(early && { stoppedEarly: early }),
    ...(problem !== undefined && { problem }),
    ...(fault && { fault }),
  };
}

/** `stopped early: 7 of 12 at step 300` */
export function earlyText({ step, place, of }: NonNullable<RunRecord['stoppedEarly']>): string {
  return `stopped early: ${formatCount(place)} of ${formatCount(of)} at step ${formatCount(step)}`;
}

/** The run where there is one; of several, how many are finished where not all are. */
function statesText({ results }: SweepRow): string {
  const open = results.filter(({ summary }) => !summary);
  const [{ planned, state, summary, early }] = results;
  if (results.length === 1) return summary ? planned.run : `${planned.run} ${early ? earlyText(early) : state}`;
  if (open.length === 0) return `${formatCount(results.length)} runs`;
  return `${formatCount(results.length - open.length)} of ${formatCount(results.length)} finished`;
}

const LONGEST_VALUE = 40;

function shortened(value: string): string {
  return value.length <= LONGEST_VALUE ? value : shownValue(value).slice(1, LONGEST_VALUE);
}
