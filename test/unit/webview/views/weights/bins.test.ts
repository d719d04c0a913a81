import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binOf, commonBins, edges, ownBins, rebin } from '../../../../../webview/views/weights/bins.ts';
import type { Bins, Histogram } from '../../../../../webview/views/weights/bins.ts';

const finite = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const range = fc.tuple(finite, fc.double({ min: 1e-6, max: 1e3, noNaN: true })).map(([minimum, width]) => ({
  minimum,
  maximum: minimum + width,
}));
const anyBins: fc.Arbitrary<Bins> = fc
  .tuple(range, fc.integer({ min: 1, max: 100 }))
  .map(([r, count]) => ({ ...r, count }));
const counts = fc.array(fc.nat(10_000), { minLength: 1, maxLength: 100 });
const anyHistogram: fc.Arbitrary<Histogram> = fc.tuple(range, counts).map(([r, c]) => ({ ...r, counts: c, zeros: 0 }));

describe('rebinning a histogram', () => {
  it('keeps the number of values, whatever the new bins', () => {
    fc.assert(
      fc.property(anyHistogram, anyBins, (histogram, bins) => {
        const before = sum(histogram.counts);
        expect(Math.abs(sum(rebin(histogram, bins)) - before)).toBeLessThanOrEqual(1e-9 * (before + 1));
      }),
    );
  });

  it('gives no negative count', () => {
    fc.assert(
      fc.property(anyHistogram, anyBins, (histogram, bins) => {
        expect(rebin(histogram, bins).every((count) => count >= -1e-9)).toBe(true);
      }),
    );
  });

  it('changes nothing on the same bins', () => {
    fc.assert(
      fc.property(anyHistogram, (histogram) => {
        expect([...rebin(histogram, ownBins(histogram))]).toEqual([...(histogram.counts as number[])]);
      }),
    );
  });

  it('splits a bin in proportion to the overlap', () => {
    const histogram = { minimum: 0, maximum: 2, counts: [30, 10], zeros: 0 };
    const [left, right] = rebin(histogram, { minimum: 0, maximum: 3, count: 2 });
    expect(left).toBeCloseTo(35);
    expect(right).toBeCloseTo(5);
  });

  it('puts what lies outside of the new bins into the outermost', () => {
    const histogram = { minimum: -2, maximum: 2, counts: [1, 2, 3, 4], zeros: 0 };
    expect([...rebin(histogram, { minimum: -1, maximum: 1, count: 2 })]).toEqual([3, 7]);
    expect([...rebin(histogram, { minimum: 5, maximum: 6, count: 2 })]).toEqual([10, 0]);
  });

  it('keeps exact zeros together in the bin of 0', () => {
    const histogram = { minimum: -1, maximum: 1, counts: [2, 100, 4], zeros: 90 };
    const fine = rebin(histogram, { minimum: -1, maximum: 1, count: 30 });
    expect(fine[15]).toBeCloseTo(90 + 1);
    expect(sum(fine)).toBeCloseTo(106);
  });

  it('leaves exact zeros out on demand', () => {
    const histogram = { minimum: -1, maximum: 1, counts: [2, 100, 4], zeros: 90 };
    expect([...rebin(histogram, ownBins(histogram), { withZeros: false })]).toEqual([2, 10, 4]);
  });

  it('finds the zeros also where 0 is the bound of two bins', () => {
    const bins = { minimum: -1, maximum: 1, count: 2 };
    expect([...rebin({ ...bins, counts: [92, 4], zeros: 90 }, bins, { withZeros: false })]).toEqual([2, 4]);
    expect([...rebin({ ...bins, counts: [2, 94], zeros: 90 }, bins, { withZeros: false })]).toEqual([2, 4]);
  });

  it('takes a histogram of one value for a spike at that value', () => {
    const zeros = { minimum: 0, maximum: 0, counts: [50, 0, 0], zeros: 50 };
    expect([...rebin(zeros, { minimum: -1, maximum: 1, count: 3 })]).toEqual([0, 50, 0]);
    const ones = { minimum: 1, maximum: 1, counts: [50, 0, 0], zeros: 0 };
    expect([...rebin(ones, { minimum: 0, maximum: 3, count: 3 })]).toEqual([0, 50, 0]);
  });
});

describe('bins', () => {
  it('are bounded by one edge more than there are bins', () => {
    expect([...edges({ minimum: -1, maximum: 1, count: 4 })]).toEqual([-1, -0.5, 0, 0.5, 1]);
  });

  it('that are common to histograms span all of them', () => {
    const narrow = { minimum: 0, maximum: 1, counts: [1, 1, 1] };
    const wide = { minimum: -3, maximum: 0.5, counts: [1, 1] };
    expect(commonBins([narrow, wide])).toEqual({ minimum: -3, maximum: 1, count: 3 });
  });

  it('around a single value have a width', () => {
    expect(ownBins({ minimum: 0, maximum: 0, counts: [1, 0] })).toEqual({ minimum: -0.5, maximum: 0.5, count: 2 });
    expect(ownBins({ minimum: 2, maximum: 2, counts: [1, 0] })).toEqual({ minimum: 1, maximum: 3, count: 2 });
  });

  it('find the bin of a value, the nearest outside of them', () => {
    const bins = { minimum: 0, maximum: 1, count: 4 };
    expect([-1, 0, 0.25, 0.99, 1, 7].map((value) => binOf(bins, value))).toEqual([0, 0, 1, 3, 3, 3]);
  });
});

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}
