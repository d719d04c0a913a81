/** @file The runs of an experiment that are listed, and their order: pure, without VS Code. */
import { recordedRatio } from '../../server/protocol/run/compressedSize.ts';
import { isGreaterBetter } from '../../server/protocol/run/metricDirection.ts';
import type { RunLabel } from '../../server/protocol/run/runLabel.ts';
import type { RunSummary } from '../../server/protocol/wire/dashboard.ts';
import { shownMetric } from '../../server/protocol/run/testMetric.ts';
import { isUnderWay } from '../../server/runs/run.ts';

export const runOrders = ['newest', 'metric', 'ratio'] as const;
export type RunOrder = (typeof runOrders)[number];

/** Best or newest first; runs that are under way stand before those with results, others without one at the end, newest first. */
export function inOrder(runs: readonly RunSummary[], order: RunOrder): RunSummary[] {
  return runs.toSorted((a, b) => compare(a, b, order) || b.created - a.created || b.id.localeCompare(a.id));
}

function compare(a: RunSummary, b: RunSummary, order: RunOrder): number {
  if (order === 'newest') return 0;
  return Number(isUnderWay(b.state)) - Number(isUnderWay(a.state)) || goodness(b, order) - goodness(a, order) || 0; // Two without a result: NaN.
}

function goodness({ result }: RunSummary, order: 'metric' | 'ratio'): number {
  const value = result && (order === 'ratio' ? recordedRatio(result).ratio : shownMetric(result));
  if (value === undefined || Number.isNaN(value)) return -Infinity;
  return order === 'metric' && !isGreaterBetter(result?.metric ?? '') ? -value : value;
}

interface FilteredRun {
  readonly id: string;
  readonly state: string;
  readonly overrides: readonly string[];
  readonly label?: RunLabel;
}

/** True where every word of the filter is in the run's id, state, overrides or label; case does not matter. */
export function matchesFilter({ id, state, overrides, label }: FilteredRun, filter: string): boolean {
  const text = [id, state, ...overrides, label?.name ?? '', label?.note ?? ''].join(' ').toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
