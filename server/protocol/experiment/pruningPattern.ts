/** @file The patterns in which weights are pruned, as an experiment file names them. */

/** Patterns that are a word; the others are N:M. */
export const PATTERN_WORDS = ['element', 'block', 'unit'] as const;

/** Groups of up to 99 weights. */
export const N_OF_M = /^([1-9]\d?):([1-9]\d?)$/;

/** At most `kept` of each `of` weights that stand side by side in a row of the matrix stay. */
export interface NOfM {
  readonly kept: number;
  readonly of: number;
}

/** The numbers of a pattern N:M; undefined for a word. */
export function nOfM(pattern: string): NOfM | undefined {
  const [, kept, of] = N_OF_M.exec(pattern) ?? [];
  return of === undefined ? undefined : { kept: Number(kept), of: Number(of) };
}

/** The pruning rate that a pattern has by itself; undefined where a layer says it. */
export function rateOfPattern(pattern: string): number | undefined {
  const numbers = nOfM(pattern);
  return numbers && 1 - numbers.kept / numbers.of;
}

/** The target rate of a layer, by its pattern or by itself. */
export function targetRateOf({
  pattern,
  rate = 0,
}: {
  readonly pattern: string;
  readonly rate?: number | undefined;
}): number {
  return rateOfPattern(pattern) ?? rate;
}
