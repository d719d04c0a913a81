/** @file What a run has been given beside the text of its experiment file: `--set`, and changes while it trained. */
import type { RunRecord } from './runRecord.ts';

/** The `path=value` texts that are in effect after so many steps, in the order in which they apply. */
export function valuesAfter(
  { overrides, changes = [] }: Pick<RunRecord, 'overrides' | 'changes'>,
  steps: number,
): string[] {
  return [...overrides, ...changes.filter(({ step }) => step <= steps).flatMap(({ values }) => values)];
}
