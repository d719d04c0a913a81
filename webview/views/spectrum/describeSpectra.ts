/** @file What a weight's spectra come to, in words. Pure. */
import * as l10n from '@vscode/l10n';
import { formatChartNumber, formatCount, formatPercent } from '../../../server/protocol/formatQuantity.ts';
import { energyKept, rankForEnergy } from '../../../server/protocol/model/spectrumEnergy.ts';
import type { WeightSpectrum } from '../../../server/protocol/run/runHistory.ts';
import { growth } from './spectra.ts';

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
      l10n.t(
        'The experiment sets no rank. {0} of the energy is in the first {1} of {2} values.',
        formatPercent(TOLD_ENERGY),
        overSteps(needed.map(formatCount), chosen),
        formatCount(last.singularValues.length),
      ),
    );
  } else {
    const energies = chosen.map(({ singularValues }) => formatPercent(energyKept(singularValues, rank)));
    sentences.push(l10n.t('Rank {0} keeps {1} of the energy.', formatCount(rank), overSteps(energies, chosen)));
    if (first !== last) sentences.push(...describeGrowth(first, last, rank));
  }
  if (last.threshold !== undefined) sentences.push(describeThreshold(last, last.threshold));
  return sentences;
}

function describeThreshold({ step, singularValues }: WeightSpectrum, threshold: number): string {
  return l10n.t(
    '{0} of {1} values are above the threshold {2} at step {3}; the others become 0.',
    formatCount(singularValues.filter((value) => value > threshold).length),
    formatCount(singularValues.length),
    formatChartNumber(threshold),
    formatCount(step),
  );
}

function describeGrowth(first: WeightSpectrum, last: WeightSpectrum, rank: number): string[] {
  const { kept, dropped } = growth(first.singularValues, last.singularValues, rank);
  const steps = [formatCount(first.step), formatCount(last.step)] as const;
  if (Number.isFinite(kept) && Number.isFinite(dropped))
    return [
      l10n.t(
        'From step {0} to {1}, the mean of the values before the rank {2}, after it {3}.',
        ...steps,
        signed(kept),
        signed(dropped),
      ),
    ];
  if (Number.isFinite(kept))
    return [l10n.t('From step {0} to {1}, the mean of the values before the rank {2}.', ...steps, signed(kept))];
  if (Number.isFinite(dropped))
    return [l10n.t('From step {0} to {1}, the mean of the values after the rank {2}.', ...steps, signed(dropped))];
  return [];
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
