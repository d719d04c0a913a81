/** @file How a run reads in a line. */
import { formatNumber, formatRatio } from '../protocol/formatQuantity.ts';
import type { RunRecord } from '../runs/runRecord.ts';

/** `98.3% at 61x`; undefined for a run without a result. */
export function resultText({ result }: RunRecord): string | undefined {
  if (!result) return undefined;
  const { metric, test, weightRatio } = result;
  const value =
    test === null ? 'no number' : metric === 'accuracy' ? `${(100 * test).toFixed(1)}%` : formatNumber(test);
  return weightRatio > 1 ? `${value} at ${formatRatio(weightRatio)}` : value;
}

/** `2026-11-26 14:05`, as the run folder has it. */
export function startText({ created }: RunRecord): string {
  return created.slice(0, 16).replace('T', ' ');
}
