/**
 * @file How much each setting of a sweep has to do with the metric. Pure.
 *
 * The measure is the adjusted share of variance of ranks, epsilon squared: the one-way analysis of variance on ranks of Kruskal and Wallis
 * ("Use of ranks in one-criterion variance analysis", JASA 47, 1952), its correlation ratio without the part that chance alone gives (Kelley,
 * "An unbiased correlation ratio measure", PNAS 21, 1935): `1 - (1 - H / (N - 1)) (N - 1) / (N - k)` for N rows in k groups of equal values,
 * and 0 where that is negative. Ranks make it independent of the metric's scale, and one diverged run does not decide it.
 *
 * Its limits: each setting is looked at by itself, so that what two settings do only together is in none; the shares do not add up to 1; in a
 * random search with few runs, settings that went together by chance share what one of them did.
 */
import type { Column } from './columns.ts';
import type { SweepItem } from './items.ts';

export interface Importance {
  readonly column: Column;
  /** 0 to 1; undefined where it cannot be told: fewer than two values, or no more rows than values. */
  readonly share: number | undefined;
  /** Spearman's rank correlation of a number with how good the metric is, -1 to 1; undefined for words. */
  readonly trend: number | undefined;
}

/** Values of a setting that are groups of their own at most; more of them are taken together by their size. */
const MOST_GROUPS = 8;

/**
 * @param metric the column of the metric
 * @returns the settings, the most important first
 */
export function importanceOf(items: readonly SweepItem[], columns: readonly Column[], metric: Column): Importance[] {
  const rows = items.flatMap((item) => {
    const value = metric.value(item);
    return typeof value === 'number' && Number.isFinite(value)
      ? [{ item, value: metric.smallerFirst ? -value : value }]
      : [];
  });
  const ranks = ranksOf(rows.map(({ value }) => value));
  return columns
    .filter(({ kind }) => kind === 'setting')
    .map((column) => {
      const values = rows.map(({ item }) => column.value(item) ?? '');
      const numbers = values.every((value) => typeof value === 'number') ? values : undefined;
      return {
        column,
        share: explainedShare(groupsOf(values, numbers), ranks),
        trend: numbers && correlation(ranksOf(numbers), ranks),
      };
    })
    .sort((a, b) => (b.share ?? -1) - (a.share ?? -1));
}

/** The group of each value: that of its equals, or of numbers of its size where there are many. */
function groupsOf(values: readonly (number | string)[], numbers: readonly number[] | undefined): number[] {
  const different = [...new Set(values)];
  if (!numbers || different.length <= MOST_GROUPS) return values.map((value) => different.indexOf(value));
  const ranks = ranksOf(numbers);
  return ranks.map((rank) => Math.min(MOST_GROUPS - 1, Math.floor((MOST_GROUPS * (rank - 0.5)) / ranks.length)));
}

function explainedShare(groups: readonly number[], ranks: readonly number[]): number | undefined {
  const byGroup = new Map<number, { sum: number; count: number }>();
  groups.forEach((group, i) => {
    const { sum, count } = byGroup.get(group) ?? { sum: 0, count: 0 };
    byGroup.set(group, { sum: sum + ranks[i], count: count + 1 });
  });
  const [rows, kinds] = [ranks.length, byGroup.size];
  if (kinds < 2 || rows <= kinds) return undefined;
  const mean = (rows + 1) / 2;
  const total = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  if (total === 0) return 0;
  const between = [...byGroup.values()].reduce((all, { sum, count }) => all + count * (sum / count - mean) ** 2, 0);
  return Math.max(0, 1 - ((1 - between / total) * (rows - 1)) / (rows - kinds));
}

/** Ranks from 1; equal values have the mean of theirs. */
export function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) ranks[order[i]] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

function correlation(a: readonly number[], b: readonly number[]): number | undefined {
  const mean = (a.length + 1) / 2;
  let [products, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    products += (a[i] - mean) * (b[i] - mean);
    ofA += (a[i] - mean) ** 2;
    ofB += (b[i] - mean) ** 2;
  }
  return ofA === 0 || ofB === 0 ? undefined : products / Math.sqrt(ofA * ofB);
}
