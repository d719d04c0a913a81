/** @file The columns of a sweep: what is varied, what came of it, and what is said of it. Table, filter and axes are made from them. Pure. */
import * as l10n from '@vscode/l10n';
import { shortNames } from '../../../server/protocol/experiment/shortNames.ts';
import {
  formatBytes,
  formatChartNumber,
  formatCount,
  formatDuration,
  formatMargin,
  formatNumber,
  formatRatio,
} from '../../../server/protocol/formatQuantity.ts';
import { isGreaterBetter } from '../../../server/protocol/run/metricDirection.ts';
import { formatMetric } from '../../../server/protocol/run/resultText.ts';
import { seedsText } from '../../../server/protocol/run/seedGroups.ts';
import type { RunKey } from '../../../server/protocol/wire/dashboard.ts';
import type { SweptRunRow } from '../../../server/protocol/wire/sweep.ts';
import type { ItemMeasure, SweepItem, SweepItems } from './items.ts';

export interface Column {
  /** The same over all updates; the name by which a filter knows it best. */
  readonly id: string;
  /** Further names by which a filter knows it. */
  readonly names: readonly string[];
  readonly title: string;
  /** The whole name where the title is short. */
  readonly fullName: string;
  readonly kind: 'setting' | 'measure' | 'fact';
  readonly isNumeric: boolean;
  /** True where a smaller value is the better one. */
  readonly smallerFirst: boolean;
  /** The value of a row: what it is sorted by, and its place on an axis; undefined where it has none. */
  value(item: SweepItem): number | string | undefined;
  /** Values that a filter compares: any of them may pass. */
  values(item: SweepItem): readonly (number | string)[];
  /** As a person reads it; empty where there is none. */
  text(item: SweepItem): string;
  /** A value of the column as a person reads it, at an axis. */
  format(value: number): string;
}

/** How far a run is that trains, as a person reads it; undefined where that is not known. */
export type ProgressOf = (run: RunKey) => string | undefined;

export function columnsOf({ items, metric, settings }: SweepItems, progressOf: ProgressOf = () => undefined): Column[] {
  const haveSeeds = items.some(({ runs }) => new Set(runs.map(({ seed }) => seed)).size > 1);
  const short = shortNames(settings, haveSeeds ? [...ownNames, seedColumn.id, ...seedColumn.names] : ownNames);
  const measured = measureNames.filter((name) => items.some(({ measures }) => measures.has(name)));
  return [
    ...settings.map((name) => settingColumn(name, short.get(name) ?? name, items)),
    ...(haveSeeds ? [seedColumn] : []),
    ...measured.map((name) => measureColumn(name, metric)),
    stateColumn(progressOf),
    noteColumn,
  ];
}

function settingColumn(name: string, title: string, items: readonly SweepItem[]): Column {
  const isNumeric = items.every(({ settings }) => typeof (settings.get(name) ?? 0) === 'number');
  return {
    id: title,
    names: [name],
    title,
    fullName: name,
    kind: 'setting',
    isNumeric,
    smallerFirst: true,
    value: ({ settings }) => settings.get(name),
    values: ({ settings }) => listed(settings.get(name)),
    text: ({ settings }) => String(settings.get(name) ?? ''),
    format: formatChartNumber,
  };
}

function measureColumn(name: ItemMeasure, metric: string): Column {
  const title = measureTitle(name, metric);
  const format = formatOf(name, metric);
  return {
    id: name,
    names: namesOfMeasure[name].concat(name === 'test' && metric !== '' ? [metric] : []),
    title,
    fullName: title,
    kind: 'measure',
    isNumeric: true,
    smallerFirst: name === 'test' || name === 'validation' ? !isGreaterBetter(metric) : name !== 'ratio',
    value: ({ measures }) => measures.get(name)?.mean,
    values: ({ measures }) => listed(measures.get(name)?.mean),
    text: ({ measures }) => {
      const found = measures.get(name);
      if (!found) return '';
      return found.margin === undefined || !(found.margin > 0)
        ? format(found.mean)
        : `${format(found.mean)} ± ${marginText(name, found.margin, metric)}`;
    },
    format,
  };
}

/** In the order of their columns. */
const measureNames = ['validation', 'test', 'loss', 'bytes', 'ratio', 'seconds'] as const;

const namesOfMeasure: Readonly<Record<ItemMeasure, string[]>> = {
  validation: [],
  test: [],
  loss: [],
  bytes: ['size'],
  ratio: ['smaller'],
  seconds: ['time'],
};

function measureTitle(name: ItemMeasure, metric: string): string {
  switch (name) {
    case 'validation':
      return l10n.t('validation {0}', metric);
    case 'test':
      return l10n.t('test {0}', metric);
    case 'loss':
      return l10n.t('loss');
    case 'bytes':
      return l10n.t('bytes');
    case 'ratio':
      return l10n.t('smaller');
    case 'seconds':
      return l10n.t('time');
  }
}

function formatOf(name: ItemMeasure, metric: string): (value: number) => string {
  switch (name) {
    case 'validation':
    case 'test':
      return (value) => formatMetric(metric, value);
    case 'loss':
      return formatNumber;
    case 'bytes':
      return formatBytes;
    case 'ratio':
      return formatRatio;
    case 'seconds':
      return formatDuration;
  }
}

/** The margin of a percentage, in points, which have no sign of their own: `98.20% ± 0.12`. */
function marginText(name: ItemMeasure, margin: number, metric: string): string {
  const text = formatOf(name, metric)(margin);
  return name === 'bytes' ? text : text.endsWith('%') ? text.slice(0, -1) : formatMargin(margin);
}

const seedColumn: Column = {
  id: 'seed',
  names: ['training.seed', 'seeds'],
  title: l10n.t('seeds'),
  fullName: 'training.seed',
  kind: 'fact',
  isNumeric: false,
  smallerFirst: true,
  value: ({ runs }) => Math.min(...runs.map(({ seed }) => seed)),
  values: ({ runs }) => runs.map(({ seed }) => seed),
  text: ({ runs }) => seedsText(runs.map(({ seed }) => seed)),
  format: formatChartNumber,
};

const stateColumn = (progressOf: ProgressOf): Column => ({
  id: 'state',
  names: [],
  title: l10n.t('state'),
  fullName: l10n.t('state'),
  kind: 'fact',
  isNumeric: false,
  smallerFirst: true,
  value: ({ runs }) => stateText(runs),
  values: ({ runs }) => [...new Set(runs.map(({ state }) => state))],
  text: ({ runs }) =>
    [stateText(runs), ...runs.flatMap(({ key, state }) => (state === 'running' ? (progressOf(key) ?? []) : []))].join(
      ' · ',
    ),
  format: String,
});

const noteColumn: Column = {
  id: 'note',
  names: ['notes'],
  title: l10n.t('note'),
  fullName: l10n.t('note'),
  kind: 'fact',
  isNumeric: false,
  smallerFirst: true,
  value: ({ notes }) => (notes.length === 0 ? undefined : notes.join(' · ')),
  values: ({ notes }) => notes,
  text: ({ notes }) => notes.join(' · '),
  format: String,
};

/** Names of the columns that are no settings, there or not yet: a setting such as `training.loss` is not called by one of them. */
export const ownNames: ReadonlySet<string> = new Set([
  ...measureNames.flatMap((name) => [name, ...namesOfMeasure[name]]),
  ...['state', noteColumn.id, ...noteColumn.names],
]);

/** How the runs of a row stand: the state of one, or how many are finished. */
function stateText(runs: readonly SweptRunRow[]): string {
  const states = new Set(runs.map(({ state }) => state));
  if (states.size === 1) return stateName(runs[0].state);
  const finished = runs.filter(({ state }) => state === 'finished').length;
  return l10n.t('{0} of {1} finished', formatCount(finished), formatCount(runs.length));
}

function stateName(state: SweptRunRow['state']): string {
  switch (state) {
    case 'planned':
      return l10n.t('planned');
    case 'early':
      return l10n.t('stopped early');
    case 'queued':
      return l10n.t('queued');
    case 'running':
      return l10n.t('running');
    case 'finished':
      return l10n.t('finished');
    case 'failed':
      return l10n.t('failed');
    case 'stopped':
      return l10n.t('stopped');
    case 'interrupted':
      return l10n.t('interrupted');
  }
}

function listed<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
