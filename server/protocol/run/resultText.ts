/** @file What a run came to, in words: the same in the tree, in lenses, in completions and in the dashboard. */
import { formatFixedPercent, formatNumber, formatRatio } from '../formatQuantity.ts';
import { recordedRatio, type RecordedRatio } from './compressedSize.ts';
import { shownMetric, type MeasuredMetrics } from './testMetric.ts';

/** True for a metric from 0 to 1: an accuracy, that of an output (`kind accuracy`) too. */
export function isShare(metric: string): boolean {
  return /^(.* )?accuracy$/.test(metric);
}

/** `98.30%` for an accuracy, that of an output (`kind accuracy`) too, `84.12` for anything else. */
export function formatMetric(metric: string, value: number): string {
  return isShare(metric) ? formatFixedPercent(value, 2) : formatNumber(value);
}

/** A ratio in words. */
export interface RatioWords {
  smaller(ratio: string): string;
  /** For a run that has no file. */
  wouldBeSmaller(ratio: string): string;
}

const english: RatioWords = {
  smaller: (ratio) => `${ratio} smaller`,
  wouldBeSmaller: (ratio) => `would be ${ratio} smaller`,
};

/**
 * `accuracy 98.20%` and `46.1x smaller`, of the file; the metric alone where that is as large as before. Empty for a run without a
 * result.
 */
export function resultFacts({ result }: { readonly result?: Result | undefined }, words = english): string[] {
  if (!result) return [];
  const metric = `${result.metric} ${formatMetric(result.metric, shownMetric(result))}`;
  const { ratio, isFile } = recordedRatio(result);
  const text = formatRatio(ratio);
  if (text === formatRatio(1)) return [metric];
  return [metric, isFile ? words.smaller(text) : words.wouldBeSmaller(text)];
}

/** {@link resultFacts} in a line; undefined for a run without a result. */
export function resultText(...given: Parameters<typeof resultFacts>): string | undefined {
  return resultFacts(...given).join(' · ') || undefined;
}

interface Result extends RecordedRatio, MeasuredMetrics {
  readonly metric: string;
}
