/** @file The runs of a sweep as rows of the tree: their names and their order. Pure, without VS Code. */
import { shortNames } from '../../server/protocol/experiment/shortNames.ts';
import { compressedSize } from '../../server/protocol/run/compressedSize.ts';
import { isGreaterBetter } from '../../server/protocol/run/metricDirection.ts';
import { variedSettings } from '../../server/protocol/run/sweptGroups.ts';
import type { SweptRunRow } from '../../server/protocol/wire/sweep.ts';
import { shownMetric } from '../../server/protocol/run/testMetric.ts';
import type { RunOrder } from './runOrder.ts';

/** What tells each run from the others, by its id: `rate 0.95, seed 2`. */
export function variedNames(rows: readonly Pick<SweptRunRow, 'id' | 'vary'>[]): ReadonlyMap<string, string> {
  const settings = rows.map(({ vary }) => variedSettings(vary));
  const names = shortNames([...new Set(settings.flatMap((own) => [...own.keys()]))]);
  return new Map(
    rows.map(({ id }, i) => {
      const parts = [...settings[i]].map(([name, value]) => `${names.get(name) ?? name} ${value}`);
      return [id, parts.length === 0 ? id : parts.join(', ')];
    }),
  );
}

/** Newest: in the order of the plan. Runs without a result stand at the end. */
export function rowsInOrder(rows: readonly SweptRunRow[], order: RunOrder): SweptRunRow[] {
  if (order === 'newest') return [...rows];
  return rows.toSorted((a, b) => goodness(b, order) - goodness(a, order) || a.line - b.line);
}

function goodness({ result }: SweptRunRow, order: 'metric' | 'ratio'): number {
  const value = result && (order === 'ratio' ? compressedSize(result).ratio : shownMetric(result));
  if (!result || value === undefined || Number.isNaN(value)) return -Number.MAX_VALUE;
  return order === 'metric' && !isGreaterBetter(result.metric) ? -value : value;
}
