/** @file Runs as rows: what they came to, and the settings in which they differ. Pure. */
import * as l10n from '@vscode/l10n';
import { formatNumber } from '../../../server/protocol/formatQuantity.ts';
import type { Difference } from '../../../server/protocol/run/sampleStatistics.ts';
import { shortNames } from '../../../server/protocol/experiment/shortNames.ts';
import { bestResults, formatResult, resultRows } from './results.ts';
import type { GroupResult, ResultRow } from './results.ts';
import { differingSettings } from './settings.ts';

export interface ComparisonColumn {
  /** A {@link ResultRow}, or the path of a setting. */
  readonly id: string;
  readonly title: string;
  /** The path of a setting whose title is shortened. */
  readonly fullTitle?: string;
  /** True for results, whose larger numbers are of interest first. */
  readonly isResult: boolean;
}

export interface ComparisonCell {
  readonly text: string;
  /** Rows are sorted by this value. */
  readonly value: number | string;
  /** Words that make more of the value, such as `best`. */
  readonly tag?: string;
  /** Set off from the others. */
  readonly strong?: boolean;
}

/** A run, or several that differ in their seed alone. */
export interface ComparisonRow {
  readonly key: string;
  readonly label: string;
  readonly color: number;
  /** By the ids of the columns; none where there is nothing to tell. */
  readonly cells: ReadonlyMap<string, ComparisonCell>;
}

export interface Comparison {
  readonly columns: readonly ComparisonColumn[];
  readonly rows: readonly ComparisonRow[];
}

export interface ComparedGroup extends Pick<ComparisonRow, 'key' | 'label' | 'color'> {
  readonly result: GroupResult;
  /** By their paths. */
  readonly settings: ReadonlyMap<string, string>;
  /** How much its test metric differs from that of the first group, where both have several seeds. */
  readonly difference?: Difference | undefined;
}

const titles: Readonly<Record<Exclude<ResultRow, 'value'>, string>> = {
  bytes: l10n.t('Size'),
  byteRatio: l10n.t('Smaller by'),
  weightRatio: l10n.t('Fewer weights by'),
  steps: l10n.t('Steps'),
  seconds: l10n.t('Training time'),
};

/** Id of the column of differences. */
const DIFFERENCE = 'difference';

export function comparisonOf(groups: readonly ComparedGroup[]): Comparison {
  const results = groups.map(({ result }) => result);
  const metrics = [...new Set(results.flatMap(({ metric }) => metric ?? []))];
  const splits = [...new Set(results.flatMap(({ split }) => split ?? []))];
  const settings = differingSettings(groups.map((group) => group.settings));
  const names = shortNames(settings.map(({ path }) => path));
  const shown = resultRows.filter((row) => row !== 'steps' || new Set(results.map(({ steps }) => steps)).size > 1);
  const hasDifferences = groups.some(({ difference }) => difference !== undefined);
  const best = new Map(shown.map((row) => [row, bestResults(results, row)]));
  return {
    columns: [
      ...shown.map((row) => ({
        id: row,
        title: row === 'value' ? metricTitle(metrics, splits) : titles[row],
        isResult: true,
      })),
      ...(hasDifferences
        ? [{ id: DIFFERENCE, title: l10n.t('Difference to {0}', groups[0].label), isResult: true }]
        : []),
      ...settings.map(({ path }) => ({
        id: path,
        title: names.get(path) ?? path,
        fullTitle: path,
        isResult: false,
      })),
    ],
    rows: groups.map(({ key, label, color, result, difference }, index) => ({
      key,
      label,
      color,
      cells: new Map([
        ...shown.flatMap((row): [string, ComparisonCell][] => {
          const isBest = best.get(row)?.includes(index) === true;
          const cell = resultCell(row, result, {
            isBest,
            namesMetric: metrics.length > 1,
            namesSplit: splits.length > 1,
          });
          return cell ? [[row, cell]] : [];
        }),
        ...(difference ? [[DIFFERENCE, differenceCell(difference)] as const] : []),
        ...settings.flatMap(({ path, values }): [string, ComparisonCell][] => {
          const text = values[index];
          return text === undefined ? [] : [[path, { text, value: sortable(text) }]];
        }),
      ]),
    })),
  };
}

function resultCell(
  row: ResultRow,
  result: GroupResult,
  { isBest, namesMetric, namesSplit }: { isBest: boolean; namesMetric: boolean; namesSplit: boolean },
): ComparisonCell | undefined {
  const value = result[row];
  if (value === undefined) return undefined;
  const margin = result.margins?.[row];
  const mean = formatResult(row, value, result.metric ?? '');
  const text = margin === undefined ? mean : `${mean} ± ${formatResult(row, margin, result.metric ?? '')}`;
  const words = [
    ...(isBest ? [l10n.t('best')] : []),
    ...(row === 'value' && namesSplit && result.split === 'validation' ? [l10n.t('validation split')] : []),
    ...(row === 'value' && !result.final ? [l10n.t('so far')] : []),
    ...(row === 'bytes' && result.hasFile === false ? [l10n.t('would take')] : []),
    ...(row === 'byteRatio' && result.hasFile === false ? [l10n.t('would be')] : []),
  ];
  return {
    text: row === 'value' && namesMetric ? `${result.metric} ${text}` : text,
    value,
    ...(words.length > 0 && { tag: words.join(', ') }),
    ...(isBest && { strong: true }),
  };
}

/** In words, since a difference of accuracies is in points. */
function differenceCell({ mean, margin = 0, isMoreThanNoise }: Difference): ComparisonCell {
  return {
    text: `${formatNumber(mean)} ± ${formatNumber(margin)}`,
    value: mean,
    tag: isMoreThanNoise ? l10n.t('more than noise') : l10n.t('no more than noise'),
  };
}

/** Title of the column of the metric, by the test split where any run has read it. */
function metricTitle(metrics: readonly string[], splits: readonly string[]): string {
  const isTest = splits.length === 0 || splits.includes('test');
  if (metrics.length === 1) return isTest ? l10n.t('Test {0}', metrics[0]) : l10n.t('Validation {0}', metrics[0]);
  return isTest ? l10n.t('Test metric') : l10n.t('Validation metric');
}

function sortable(text: string): number | string {
  const number = Number(text);
  return text === '' || Number.isNaN(number) ? text : number;
}

/** Order of the rows; without a column, that in which the runs were chosen. */
export interface ComparisonOrder {
  /** The id of a column, or `run`. */
  readonly column?: string;
  readonly descending: boolean;
}

/** A copy in order; rows without the value come last. */
export function orderedRows(
  rows: readonly ComparisonRow[],
  { column, descending }: ComparisonOrder,
): readonly ComparisonRow[] {
  if (column === undefined) return rows;
  const valueOf = (row: ComparisonRow) => (column === 'run' ? row.label : row.cells.get(column)?.value);
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [valueOf(a), valueOf(b)];
    if (isNothing(left) || isNothing(right)) return Number(isNothing(left)) - Number(isNothing(right));
    if (typeof left === 'number' && typeof right === 'number') return sign * (left - right);
    return sign * String(left).localeCompare(String(right), undefined, { numeric: true });
  });
}

function isNothing(value: number | string | undefined): value is undefined {
  return value === undefined || Number.isNaN(value);
}
