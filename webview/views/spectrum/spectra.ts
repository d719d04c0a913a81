/** @file What the singular values of a weight say over a run: which to lay over each other, energy, growth. Pure. */
import { evenly } from '../evenly.ts';

/** The first, the middle and the last of the recorded steps; fewer where fewer are recorded. */
export function defaultSteps(spectra: readonly { readonly step: number }[]): number[] {
  return evenly(spectra.length, 3).map((index) => spectra[index].step);
}

/** Fraction of the largest singular value: what is smaller is rounding of the 32-bit weights, and as good as 0. */
const ROUNDING = 1e-7;

/** The least value of all that says something; undefined where every positive value does. */
export function roundingFloor(spectra: readonly ArrayLike<number>[]): number | undefined {
  const positive = spectra.flatMap((values) => Array.from(values).filter((value) => value > 0));
  const floor = ROUNDING * positive.reduce((most, value) => Math.max(most, value), 0);
  return positive.some((value) => value < floor) ? floor : undefined;
}

/** How singular values changed between two steps, as fractions: 0.12 is 12% more. NaN where there was nothing. */
export interface Growth {
  /** Growth of the mean of the values that the rank keeps. */
  readonly kept: number;
  /** Growth of the mean of the other values. */
  readonly dropped: number;
}

/**
 * What training with distortions does to a spectrum: the values before the rank grow, those after it shrink (DeepTwist,
 * figure 3), so that less and less is lost by the approximation.
 */
export function growth(earlier: ArrayLike<number>, later: ArrayLike<number>, rank: number): Growth {
  return { kept: change(earlier, later, 0, rank), dropped: change(earlier, later, rank, Infinity) };
}

function change(earlier: ArrayLike<number>, later: ArrayLike<number>, begin: number, end: number): number {
  return sum(later, begin, end) / sum(earlier, begin, end) - 1;
}

function sum(values: ArrayLike<number>, begin: number, end: number): number {
  let total = 0;
  for (let i = begin; i < Math.min(end, values.length); i++) total += values[i];
  return total;
}
