import { describe, expect, it } from 'vitest';
import type { PlateauState } from '../../../server/optimizers/learningRate.ts';
import { initialPlateauState, learningRateAt, observeMetric } from '../../../server/optimizers/learningRate.ts';

describe('The learning rate', () => {
  it('is constant by default', () => {
    expect(learningRateAt({ type: 'constant' }, 0.1, { step: 12345, epoch: 67 })).toBe(0.1);
  });

  it('is multiplied by the factor every so many steps', () => {
    const rates = [0, 99, 100, 199, 200].map((step) =>
      learningRateAt({ type: 'step', every: 100, factor: 0.5 }, 0.8, { step, epoch: 0 }),
    );
    expect(rates).toEqual([0.8, 0.8, 0.4, 0.4, 0.2]);
  });

  it('falls exponentially, by the factor within the given steps', () => {
    const rates = [0, 50, 100, 200].map((step) =>
      learningRateAt({ type: 'exponential', steps: 100, factor: 0.25 }, 1, { step, epoch: 0 }),
    );
    expect(rates).toEqual([1, 0.5, 0.25, 0.0625]);
  });

  // Zaremba et al. 2014, section 4.1; epochs count from 1 in the paper.
  it.each([
    { size: 'small', after: 4, factor: 1 / 2, epoch: 4, rate: 1 },
    { size: 'small', after: 4, factor: 1 / 2, epoch: 5, rate: 0.5 },
    { size: 'small', after: 4, factor: 1 / 2, epoch: 13, rate: 1 / 512 },
    { size: 'medium', after: 6, factor: 1 / 1.2, epoch: 6, rate: 1 },
    { size: 'medium', after: 6, factor: 1 / 1.2, epoch: 8, rate: 1 / 1.44 },
    { size: 'large', after: 14, factor: 1 / 1.15, epoch: 14, rate: 1 },
    { size: 'large', after: 14, factor: 1 / 1.15, epoch: 17, rate: 1 / 1.520875 },
  ])("of Zaremba's $size LSTM is $rate in epoch $epoch", ({ after, factor, epoch, rate }) => {
    const schedule = { type: 'after-epoch', epoch: after, factor } as const;
    expect(learningRateAt(schedule, 1, { step: 0, epoch: epoch - 1 })).toBeCloseTo(rate, 14);
  });
});

describe('The plateau schedule', () => {
  const schedule = { type: 'plateau', factor: 0.5, patience: 1, minimum: 0.2 } as const;

  function ratesAfter(metrics: readonly number[], direction: 'min' | 'max', patience: number): number[] {
    let plateau: PlateauState = initialPlateauState;
    return metrics.map((metric) => {
      // Through JSON, as in a checkpoint.
      plateau = observeMetric({ ...schedule, patience }, JSON.parse(JSON.stringify(plateau)), metric, direction);
      return learningRateAt(schedule, 1, { step: 0, epoch: 0, plateau });
    });
  }

  it('decays at every evaluation without improvement if the patience is 0', () => {
    expect(ratesAfter([100, 90, 90, 95, 80, 81], 'min', 0)).toEqual([1, 1, 0.5, 0.25, 0.25, 0.2]);
  });

  it('tolerates as many evaluations without improvement as the patience says', () => {
    expect(ratesAfter([100, 101, 102, 101, 99, 100, 100], 'min', 1)).toEqual([1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]);
  });

  it('follows a metric that should grow', () => {
    expect(ratesAfter([0.5, 0.6, 0.6, 0.7, 0.65], 'max', 0)).toEqual([1, 1, 0.5, 0.5, 0.25]);
  });

  it('takes a metric that is not finite as no improvement', () => {
    expect(ratesAfter([NaN, Infinity, 100, 90], 'min', 1)).toEqual([1, 0.5, 0.5, 0.5]);
    expect(ratesAfter([Infinity, 0.5, 0.6], 'max', 1)).toEqual([1, 1, 1]);
  });

  it('does not raise a learning rate that is below the minimum from the start', () => {
    expect(learningRateAt(schedule, 0.1, { step: 0, epoch: 0, plateau: { ...initialPlateauState, decays: 3 } })).toBe(
      0.1,
    );
  });
});
