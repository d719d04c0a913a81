import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { axisRange, Extent, panned, zoomed } from '../../../../../webview/charts/model/scale.ts';
import { niceTicks, tickLabels } from '../../../../../webview/charts/model/ticks.ts';

function extentOf(...values: number[]): Extent {
  const extent = new Extent();
  for (const value of values) extent.add(value, 'linear');
  return extent;
}

describe('the range of an axis', () => {
  it('holds all finite values and is finite and not empty', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), fc.constantFrom('linear', 'log'), (values, scale) => {
        const extent = new Extent();
        for (const value of values) extent.add(value, scale);
        const { minimum, maximum } = axisRange(extent, scale, 0.05);
        expect(Number.isFinite(minimum) && Number.isFinite(maximum)).toBe(true);
        expect(minimum).toBeLessThan(maximum);
        if (scale === 'log') expect(minimum).toBeGreaterThan(0);
        if (extent.isEmpty) return;
        expect(minimum).toBeLessThanOrEqual(extent.minimum * (scale === 'log' ? 1 + 1e-9 : 1));
        expect(maximum).toBeGreaterThanOrEqual(extent.maximum * (scale === 'log' ? 1 - 1e-9 : 1));
      }),
    );
  });

  it('puts a single value into its middle, be it 1e-6, negative or 0', () => {
    expect(axisRange(extentOf(1e-6), 'linear', 0.05)).toEqual({ minimum: 5e-7, maximum: 1.5e-6 });
    expect(axisRange(extentOf(-4), 'linear', 0.05)).toEqual({ minimum: -6, maximum: -2 });
    expect(axisRange(extentOf(0), 'linear', 0.05)).toEqual({ minimum: -0.5, maximum: 0.5 });
    expect(axisRange(extentOf(), 'log', 0.05)).toEqual({ minimum: 0.1, maximum: 1 });
  });
});

describe('zoom and pan', () => {
  const bounds = { minimum: 0, maximum: 1000 };

  it('keeps what is under the pointer in its place', () => {
    const { minimum, maximum } = zoomed(bounds, bounds, 'linear', 250, 0.5);
    expect([minimum, maximum]).toEqual([125, 625]);
  });

  it('never leaves the bounds and never becomes empty', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: -3, max: 3, noNaN: true })), {
          maxLength: 40,
        }),
        (steps) => {
          let range: { minimum: number; maximum: number } = bounds;
          for (const [place, by] of steps) {
            const center = range.minimum + place * (range.maximum - range.minimum);
            range =
              by > 0
                ? zoomed(range, bounds, 'linear', center, Math.exp(by - 1.5))
                : panned(range, bounds, 'linear', by + 1);
            expect(range.minimum).toBeGreaterThanOrEqual(0);
            expect(range.maximum).toBeLessThanOrEqual(1000);
            expect(range.minimum).toBeLessThan(range.maximum);
          }
        },
      ),
    );
  });
});

describe('ticks', () => {
  it('are round, inside of the range, ascending and not more than asked for', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.double({ min: 1e-6, max: 1e9, noNaN: true }),
        fc.integer({ min: 2, max: 10 }),
        (minimum, length, count) => {
          const range = { minimum, maximum: minimum + length };
          if (!(range.maximum > range.minimum * (1 + 1e-9) || range.minimum <= 0)) return;
          const ticks = niceTicks(range, {}, count);
          expect(ticks.length).toBeLessThanOrEqual(count + 1);
          ticks.forEach((tick, i) => i > 0 && expect(tick).toBeGreaterThanOrEqual(ticks[i - 1]));
        },
      ),
    );
  });

  it('follow decimals, decades and the clock', () => {
    expect(niceTicks({ minimum: 0, maximum: 3000 }, {}, 7)).toEqual([0, 500, 1000, 1500, 2000, 2500, 3000]);
    expect(niceTicks({ minimum: 0.9, maximum: 1e6 }, { scale: 'log' }, 5)).toEqual([1, 100, 10_000, 1_000_000]);
    expect(niceTicks({ minimum: 0.02, maximum: 15 }, { scale: 'log' }, 3)).toEqual([0.1, 1, 10]);
    expect(niceTicks({ minimum: 0, maximum: 700 }, { unit: 'seconds' }, 7)).toEqual([0, 120, 240, 360, 480, 600]);
  });

  it('have labels that tell neighbours apart', () => {
    const plateau = niceTicks({ minimum: 2.30258, maximum: 2.30266 }, {}, 5);
    expect(tickLabels(plateau)).toEqual(['2.30258', '2.3026', '2.30262', '2.30264', '2.30266']);
    expect(tickLabels([-1e-7, 0, 1e-7])).toEqual(['−1e−7', '0', '1e−7']);
    expect(tickLabels([10_000, 20_000])).toEqual(['10,000', '20,000']);
    expect(tickLabels([1.1, 1.3, 2], (value) => `${Math.round(value)} s`)).toEqual(['1 s', '', '2 s']);
  });
});
