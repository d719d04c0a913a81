/** @file What a weight's spectra come to, in words. Pure. */
import { formatCount } from '../../../server/protocol/formatQuantity.ts';
import type { WeightSpectrum } from '../../../server/protocol/runHistory.ts';
import { formatPercent } from '../setting.ts';
import { energyKept, growth, rankForEnergy } from './spectra.ts';

/** Without a rank that the experiment chooses: the rank that keeps so much of the energy is told. */
const TOLD_ENERGY = 0.9;

/**
 * Sentences on the chosen spectra, in the order of steps: energy kept by the rank at the first and the last of them, and how
 * the values before and after the rank changed in between.
 */
export function describeSpectra(chosen: readonly WeightSpectrum[]): string[] {
  const first = chosen.at(0);
  const last = chosen.at(-1);
  if (first === undefined || last === undefined) return [];
  const sentences: string[] = [];
  const rank = last.rank;
  if (rank === undefined) {
    const needed = chosen.map(({ singularValues }) => rankForEnergy(singularValues, TOLD_ENERGY));
    sentences.push(
      `The experiment sets no rank. ${formatPercent(TOLD_ENERGY)} of the energy is in the first ${overSteps(
        needed.map(formatCount),
        chosen,
      )} of ${formatCount(last.singularValues.length)} values.`,
    );
  } else {
    const energies = chosen.map(({ singularValues }) => formatPercent(energyKept(singularValues, rank)));
    sentences.push(`Rank ${formatCount(rank)} keeps ${overSteps(energies, chosen)} of the energy.`);
    if (first !== last) sentences.push(...describeGrowth(first, last, rank));
  }
  return sentences;
}

function describeGrowth(first: WeightSpectrum, last: WeightSpectrum, rank: number): string[] {
  const { kept, dropped } = growth(first.singularValues, last.singularValues, rank);
  const parts = [
    ...(Number.isFinite(kept) ? [`before the rank ${signed(kept)}`] : []),
    ...(Number.isFinite(dropped) ? [`after it ${signed(dropped)}`] : []),
  ];
  if (parts.length === 0) return [];
  const steps = `step ${formatCount(first.step)} to ${formatCount(last.step)}`;
  return [`From ${steps}, the mean of the values ${parts.join(', ')}.`];
}

/** `61.2% → 98.1%`, or the one value. */
function overSteps(values: readonly string[], chosen: readonly WeightSpectrum[]): string {
  const first = values[0];
  const last = values[values.length - 1];
  if (chosen.length === 1 || first === last) return last;
  return `${first} → ${last}`;
}

function signed(fraction: number): string {
  const text = formatPercent(Math.abs(Number(fraction.toPrecision(2))));
  return `${fraction < 0 ? '−' : '+'}${text}`;
}
