import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WeightDistortion } from '../../../../../server/protocol/run/runHistory.ts';
import { evenly } from '../../../../../webview/views/evenly.ts';
import { ridgeLayout, ridges, rowAt } from '../../../../../webview/views/weights/ridge.ts';

const options = { side: 'after', scale: 'linear', withZeros: true, rows: 50 } as const;

describe('ridges', () => {
  it('are the histograms of a run on common bins, the earliest first', () => {
    const made = ridges([distortion(1, [4, 0], { minimum: 0, maximum: 1 }), distortion(2, [0, 2, 0, 2])], options);
    expect(made?.steps).toEqual([1, 2]);
    expect(made?.bins).toEqual({ minimum: -1, maximum: 1, count: 4 });
    expect(made?.counts.map((row) => [...row])).toEqual([
      [0, 0, 4, 0],
      [0, 2, 0, 2],
    ]);
    expect(made?.heights.map((row) => [...row])).toEqual([
      [0, 0, 1, 0],
      [0, 0.5, 0, 0.5],
    ]);
  });

  it('lie between 0 and 1 in either scale, and the highest is 1', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(1000), { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 20 }),
        fc.constantFrom('linear' as const, 'log' as const),
        (rows, scale) => {
          const made = ridges(
            rows.map((after, i) => distortion(i, after)),
            { ...options, scale },
          );
          const all = made!.heights.flatMap((row) => [...row]);
          expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
          expect(Math.max(...all)).toBeCloseTo(rows.flat().some((count) => count > 0) ? 1 : 0);
        },
      ),
    );
  });

  it('leave exact zeros out on demand, so that the other weights are seen', () => {
    const pruned = distortion(1, [3, 1000, 5], { zerosAfter: 1000 });
    expect([...ridges([pruned], { ...options, withZeros: false })!.counts[0]]).toEqual([3, 0, 5]);
  });

  it('are none without a recorded distortion', () => {
    expect(ridges([], options)).toBeUndefined();
  });
});

describe('thinning', () => {
  it('keeps the first and the last, in order and without repetition', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.integer({ min: 2, max: 100 }), (length, count) => {
        const kept = evenly(length, count);
        expect(kept.length).toBe(Math.min(length, count));
        expect(kept.every((value, i) => i === 0 || value > kept[i - 1])).toBe(true);
        if (length > 0) expect([kept[0], kept.at(-1)]).toEqual([0, length - 1]);
      }),
    );
  });
});

describe('the layout of ridges', () => {
  it('stays within the picture', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 20, max: 800 }), (rows, height) => {
        const { baselines, amplitude } = ridgeLayout(rows, 10, height);
        expect(baselines[0] - amplitude).toBeCloseTo(10);
        expect(baselines.at(-1)).toBeCloseTo(10 + height);
      }),
    );
  });

  it('finds the frontmost ridge at a point, else the nearest base line', () => {
    const layout = { baselines: [40, 60, 80], amplitude: 40 };
    const heights = [1, 0.1, 0.75].map((height) => Float64Array.of(height));
    expect(rowAt(layout, heights, 0, 55)).toBe(2);
    expect(rowAt(layout, heights, 0, 30)).toBe(0);
    expect(rowAt(layout, heights, 0, 95)).toBe(2);
  });
});

function distortion(step: number, after: number[], rest: Partial<WeightDistortion> = {}): WeightDistortion {
  return {
    step,
    index: step,
    setting: {},
    minimum: -1,
    maximum: 1,
    before: Uint32Array.from(after),
    after: Uint32Array.from(after),
    zerosBefore: 0,
    zerosAfter: 0,
    nearZerosBefore: 0,
    nearZerosAfter: 0,
    relativeError: 0.1,
    ...rest,
  };
}
