import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { energyKept, rankForEnergy } from '../../../../../server/protocol/model/spectrumEnergy.ts';
import type { WeightSpectrum } from '../../../../../server/protocol/run/runHistory.ts';
import { describeSpectra } from '../../../../../webview/views/spectrum/describeSpectra.ts';
import { spectrumContent } from '../../../../../webview/views/spectrum/spectrumContent.ts';
import { defaultSteps, growth } from '../../../../../webview/views/spectrum/spectra.ts';

const values = fc
  .array(fc.double({ min: 0.001, max: 100, noNaN: true }), { minLength: 1, maxLength: 50 })
  .map((all) => all.sort((a, b) => b - a));

describe('the spectra that are shown', () => {
  it('are the first, the middle and the last, until others are chosen', () => {
    const recorded = (steps: number[]) => steps.map((step) => spectrum(step, [1]));
    expect(defaultSteps(recorded([10, 20, 30, 40, 50]))).toEqual([10, 30, 50]);
    expect(defaultSteps(recorded([10, 20]))).toEqual([10, 20]);
    expect(defaultSteps(recorded([10]))).toEqual([10]);
    expect(defaultSteps([])).toEqual([]);
  });
});

describe('the energy that a rank keeps', () => {
  it('is the sum of the squares before the rank, as a fraction of all', () => {
    expect(energyKept([3, 2, 1], 1)).toBeCloseTo(9 / 14);
    expect(energyKept([3, 2, 1], 3)).toBe(1);
    expect(energyKept([0, 0], 1)).toBeNaN();
  });

  it('grows with the rank, and the least rank for an energy keeps it', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, fraction) => {
        const rank = rankForEnergy(all, fraction);
        expect(energyKept(all, rank)).toBeGreaterThanOrEqual(fraction - 1e-9);
        if (rank > 0) expect(energyKept(all, rank - 1)).toBeLessThan(fraction + 1e-9);
      }),
    );
  });
});

describe('growth', () => {
  it('is the change of the mean before and after the rank', () => {
    const { kept, dropped } = growth([10, 10, 4, 4], [12, 11, 2, 1], 2);
    expect(kept).toBeCloseTo(0.15);
    expect(dropped).toBeCloseTo(-0.625);
  });

  it('is the factor, wherever the rank is, of values that were all multiplied by one', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.1, max: 10, noNaN: true }), fc.nat(60), (all, factor, rank) => {
        const { kept, dropped } = growth(
          all,
          all.map((value) => factor * value),
          rank,
        );
        if (rank > 0) expect(kept).toBeCloseTo(factor - 1, 6);
        if (rank < all.length) expect(dropped).toBeCloseTo(factor - 1, 6);
      }),
    );
  });

  it('is nothing where there are no values on one side', () => {
    expect(growth([2, 1], [3, 1], 2).dropped).toBeNaN();
  });
});

describe('the chart of spectra', () => {
  it('has the rank between the last value that is kept and the first that is not', () => {
    const { references } = spectrumContent([spectrum(1, [3, 2, 1], 2)], 'log');
    expect(references).toEqual([{ axis: 'x', value: 2.5, label: 'rank 2' }]);
  });

  it('ends a log axis where rounding begins, and says so', () => {
    const { y, summary } = spectrumContent([spectrum(1, [2, 1, 1e-12])], 'log');
    expect(y.minimum).toBeCloseTo(2e-7, 12);
    expect(summary).toMatch(/below 1e-7 of the largest/);
    expect(spectrumContent([spectrum(1, [2, 1, 0.001])], 'log').y.minimum).toBeUndefined();
    expect(spectrumContent([spectrum(1, [2, 1, 1e-12])], 'linear').y.minimum).toBe(0);
  });
});

describe('spectra in words', () => {
  it('say energy and growth over the chosen steps', () => {
    expect(describeSpectra([spectrum(100, [10, 10, 4, 4], 2), spectrum(2000, [12, 11, 2, 1], 2)])).toEqual([
      'Rank 2 keeps 86.2% → 98.1% of the energy.',
      'From step 100 to 2,000, the mean of the values before the rank +15%, after it −63%.',
    ]);
  });

  it('say how many values hold most of the energy where no rank is set', () => {
    expect(describeSpectra([spectrum(1, [3, 1, 1]), spectrum(2, [9, 1, 1])])).toEqual([
      'The experiment sets no rank. 90% of the energy is in the first 2 → 1 of 3 values.',
    ]);
  });

  it('say nothing of no spectra', () => {
    expect(describeSpectra([])).toEqual([]);
  });
});

function spectrum(step: number, singularValues: number[], rank?: number): WeightSpectrum {
  return { step, index: step, singularValues: Float32Array.from(singularValues), ...(rank !== undefined && { rank }) };
}
