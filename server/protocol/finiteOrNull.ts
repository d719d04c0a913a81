/** @file Numbers as JSON has them: no NaN and no infinity. */

export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
