/** @file What a run came to, in words: the same in the tree, in lenses, in completions and in the dashboard. */
import { formatNumber, formatRatio } from '../formatQuantity.ts';

/** `98.30%` for an accuracy, `84.12` for anything else. */
export function formatMetric(metric: string, value: number): string {
  return metric === 'accuracy' ? `${(100 * value).toFixed(2)}%` : formatNumber(value);
}

/** `46.1x`, by how much the file is smaller; undefined where it is as large as before. */
export function smallerText(byteRatio: number): string | undefined {
  const ratio = formatRatio(byteRatio);
  return ratio === formatRatio(1) ? undefined : ratio;
}

/** `98.20% · 46.1x`, by how much the file is smaller; the metric alone where it is as large as before. Undefined for a run without a result. */
export function resultText({ result }: { readonly result?: Result | undefined }): string | undefined {
  if (!result) return undefined;
  const { metric, test, byteRatio } = result;
  const value = formatMetric(metric, test ?? NaN);
  const ratio = smallerText(byteRatio);
  return ratio === undefined ? value : `${value} · ${ratio}`;
}

interface Result {
  readonly metric: string;
  /** Null where it is not finite. */
  readonly test: number | null;
  readonly byteRatio: number;
}
