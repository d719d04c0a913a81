/** @file What a run came to, in words: the same in the tree, in lenses, in completions and in the dashboard. */
import { formatNumber, formatRatio } from '../formatQuantity.ts';
import { recordedRatio, type RecordedRatio } from './compressedSize.ts';
import { shownMetric, type MeasuredMetrics } from './testMetric.ts';

/** True for a metric from 0 to 1: an accuracy, that of an output (`kind accuracy`) too. */
export function isShare(metric: string): boolean {
  return /^(.* )?accuracy$/.test(metric);
}

/** `98.30%` for an accuracy, that of an output (`kind accuracy`) too, `84.12` for anything else. */
export function formatMetric(metric: string, value: number): string {
  return isShare(metric) ? `${(100 * value).toFixed(2)}%` : formatNumber(value);
}

/** `46.1x`, by how much the file is smaller or would be; undefined where it is as large as before. */
export function smallerText(result: RecordedRatio): { readonly ratio: string; readonly isFile: boolean } | undefined {
  const { ratio, isFile } = recordedRatio(result);
  const text = formatRatio(ratio);
  return text === formatRatio(1) ? undefined : { ratio: text, isFile };
}

/**
 * `98.20% · 46.1x`, by how much the file is smaller; the metric alone where it is as large as before. Undefined for a run without a
 * result.
 * @param wouldBe the ratio in words for a run that has no file
 */
export function resultText(
  { result }: { readonly result?: Result | undefined },
  wouldBe = (ratio: string) => `would be ${ratio}`,
): string | undefined {
  if (!result) return undefined;
  const value = formatMetric(result.metric, shownMetric(result));
  const smaller = smallerText(result);
  if (smaller === undefined) return value;
  return `${value} · ${smaller.isFile ? smaller.ratio : wouldBe(smaller.ratio)}`;
}

interface Result extends RecordedRatio, MeasuredMetrics {
  readonly metric: string;
}
