/** @file What a run has been given beside the text of its experiment file: `--set`, and changes while it trained. */
import { parseOverride } from '../protocol/experiment/overrides.ts';
import { isWithin } from '../protocol/experiment/settingPath.ts';
import type { RunRecord } from './runRecord.ts';

/** The `path=value` texts that are in effect after so many steps, in the order in which they apply. */
export function valuesAfter(
  { overrides, changes = [] }: Pick<RunRecord, 'overrides' | 'changes'>,
  steps: number,
): string[] {
  return lastValues([...overrides, ...changes.filter(({ step }) => step <= steps).flatMap(({ values }) => values)]);
}

/**
 * The `path=value` texts that no later one replaces, of some that are applied one after the other. Those in lists stay: an element has to be
 * there before the next one can be.
 */
export function lastValues(texts: readonly string[]): string[] {
  const paths = texts.map((text) => parseOverride(text)?.path);
  return texts.filter((_, i) => {
    const path = paths[i];
    if (!path?.every((part) => typeof part === 'string')) return true;
    const next = paths.slice(i + 1).find((other) => other && (isWithin(path, other) || isWithin(other, path)));
    return !next || !isWithin(path, next);
  });
}
