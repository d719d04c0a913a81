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

  // From the project's notes on the paper, which adds up the values themselves.
  it.each([
    [0.8, 2, 2],
    [0.9, 3, 2],
    [0.95, 4, 2],
    [1, 6, 6],
  ])(
    'of %d of 5, 3, 1, 0.5, 0.3, 0.2 takes %i of them by their sum, and %i by their squares',
    (energy, rank, bySquares) => {
      const spectrum = [5, 3, 1, 0.5, 0.3, 0.2];
      expect(rankForEnergy(spectrum, energy, 'values')).toBe(rank);
      expect(rankForEnergy(spectrum, energy)).toBe(bySquares);
    },
  );

  it('needs no value of 0, and no value more because of rounding', () => {
    expect(rankForEnergy([3, 0, 0], 1, 'values')).toBe(1);
    expect(rankForEnergy([0, 0], 1, 'values')).toBe(0);
    expect(rankForEnergy([], 0.9, 'values')).toBe(0);
    expect(
      rankForEnergy(
        Array.from({ length: 10 }, () => 0.1),
        0.7,
        'values',
      ),
    ).toBe(7);
    fc.assert(
      fc.property(values, (all) => {
        expect(rankForEnergy([...all, 0, 0], 1, 'values')).toBe(all.length);
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

  it('has the threshold that a distortion takes off the values, and says how many are above it', () => {
    const shrunk = { ...spectrum(20, [3, 2, 0.5, 0.25]), threshold: 0.5 };
    const { references, summary } = spectrumContent([spectrum(1, [3, 2, 1, 1]), shrunk], 'log');
    expect(references).toEqual([{ axis: 'y', value: 0.5, label: 'threshold 0.5' }]);
    expect(summary).toContain('2 of 4 values are above the threshold 0.5 at step 20; the others become 0.');
    expect(spectrumContent([{ ...shrunk, threshold: 0 }], 'log').references).toEqual([]);
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
