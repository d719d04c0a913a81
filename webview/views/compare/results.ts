/** @file What runs came to, side by side. Pure. */
import { formatBytes, formatCount, formatDuration, formatRatio } from '../../../server/protocol/formatQuantity.ts';
import { compressedSize } from '../../../server/protocol/run/compressedSize.ts';
import { sampleStatistics } from '../../../server/protocol/run/sampleStatistics.ts';
import type { RunSnapshot } from '../../../server/protocol/run/runHistory.ts';
import { isGreaterBetter } from '../../../server/protocol/run/metricDirection.ts';
import { formatMetric } from '../../../server/protocol/run/resultText.ts';
import { shownMetric, shownSplit } from '../../../server/protocol/run/testMetric.ts';

export interface RunResult {
  /** Name of the metric; undefined before the first evaluation. */
  readonly metric?: string;
  /** Value of the final model; of the last evaluation for an unfinished run. */
  readonly value?: number;
  /** The split that the value is of: of a final model the test split, unless the run left that one alone. */
  readonly split?: 'test' | 'validation' | 'train';
  /** True if `value` is that of the final, compressed model. */
  readonly final: boolean;
  readonly bytes?: number;
  readonly byteRatio?: number;
  /** False where there is no file: it would take {@link bytes}. */
  readonly hasFile?: boolean;
  readonly weightRatio?: number;
  readonly steps: number;
  /** Without observations and evaluations, where the run has finished; else since its first event. */
  readonly seconds?: number;
}

export function runResult(snapshot: RunSnapshot): RunResult {
  const { end, evaluations, metrics, started } = snapshot;
  const last = metrics.length - 1;
  if (end?.type === 'finished') {
    const { summary } = end;
    const size = compressedSize(summary);
    return {
      metric: summary.metric,
      value: shownMetric(summary),
      split: shownSplit(summary),
      final: true,
      bytes: size.bytes,
      byteRatio: size.ratio,
      hasFile: size.isFile,
      weightRatio: summary.weightRatio,
      steps: summary.steps,
      seconds: summary.trainingSeconds + summary.distortionSeconds,
    };
  }
  const evaluation = evaluations.at(-1);
  return {
    ...(evaluation && { metric: evaluation.metric, value: evaluation.value, split: evaluation.split }),
    final: false,
    steps: last >= 0 ? metrics.columns.step[last] : (started?.step ?? 0),
    ...(started && last >= 0 && { seconds: (metrics.columns.time[last] - metrics.columns.time[0]) / 1000 }),
  };
}

/** What runs that differ in their seed alone came to: means, and half the 95% intervals of these where there are several runs. */
export interface GroupResult extends RunResult {
  readonly margins?: Readonly<Partial<Record<ResultRow, number>>>;
}

/** @param results at least one; of several, what not all have is in none */
export function groupResult(results: readonly RunResult[]): GroupResult {
  const [first] = results;
  if (results.length === 1) return first;
  const means: Partial<Record<ResultRow, number>> = {};
  const margins: Partial<Record<ResultRow, number>> = {};
  const sameMetric = haveSameMetric(results);
  for (const row of resultRows) {
    const values = results.flatMap((result) => result[row] ?? []);
    if (values.length < results.length || (row === 'value' && !sameMetric)) continue;
    const { mean, margin = 0 } = sampleStatistics(values);
    means[row] = mean;
    // A margin that small comes from rounding alone.
    if (margin > 1e-9 * Math.abs(mean)) margins[row] = margin;
  }
  const { metric, split } = first;
  return {
    ...means,
    steps: means.steps ?? first.steps,
    final: results.every(({ final }) => final),
    ...(sameMetric && metric !== undefined && { metric, split }),
    ...(results.some(({ hasFile }) => hasFile === false) && { hasFile: false }),
    margins,
  };
}

/** True where the values of results can be compared: one metric, on one split. A run that has not been evaluated has none. */
function haveSameMetric(results: readonly RunResult[]): boolean {
  const evaluated = results.filter(({ metric }) => metric !== undefined);
  return new Set(evaluated.map(({ metric, split }) => `${split} ${metric}`)).size <= 1;
}

/** The rows of the table of results, in their order. */
export const resultRows = ['value', 'bytes', 'byteRatio', 'weightRatio', 'steps', 'seconds'] as const;
export type ResultRow = (typeof resultRows)[number];

/** A result of a row as text; `metric` is its name where the row is that of the metric. */
export function formatResult(row: ResultRow, value: number, metric: string): string {
  switch (row) {
    case 'value':
      return formatMetric(metric, value);
    case 'bytes':
      return formatBytes(value);
    case 'byteRatio':
    case 'weightRatio':
      return formatRatio(value);
    case 'steps':
      return formatCount(value);
    case 'seconds':
      return formatDuration(value);
  }
}

/**
 * The best of the results in a row; none where there is nothing to choose: fewer than two final results, different
 * metrics or splits, all equal, or a row (such as the number of steps) in which no value is better.
 */
export function bestResults(results: readonly RunResult[], row: ResultRow): number[] {
  if (row === 'steps' || row === 'seconds') return [];
  if (row === 'value' && !haveSameMetric(results)) return [];
  const metric = results.find((result) => result.metric !== undefined)?.metric ?? '';
  const greater = row === 'bytes' ? false : row === 'value' ? isGreaterBetter(metric) : true;
  const known = results.flatMap((result, index) => {
    const value = result[row];
    return result.final && value !== undefined && Number.isFinite(value) ? [{ index, value }] : [];
  });
  // Values that read the same are equally good.
  const textOf = (value: number) => formatResult(row, value, metric);
  if (new Set(known.map(({ value }) => textOf(value))).size < 2) return [];
  const best = textOf(known.reduce((a, b) => ((greater ? b.value > a.value : b.value < a.value) ? b : a)).value);
  return known.filter(({ value }) => textOf(value) === best).map(({ index }) => index);
}
