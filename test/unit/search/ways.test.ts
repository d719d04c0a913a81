import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costsOf, curveAt, type CurvePoint } from '../../../server/search/ways.ts';

const points = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 6 }).chain((values) =>
  fc.tuple(
    ...values
      .toSorted((a, b) => a - b)
      .map((value) =>
        fc.record({
          value: fc.constant(value / 100),
          error: fc.double({ min: 0, max: 1, noNaN: true }),
          rise: fc.double({ min: -1, max: 10, noNaN: true }),
        }),
      ),
  ),
);
const identity = (value: number) => value;

describe('a curve', () => {
  test('never falls towards stronger values', () => {
    fc.assert(
      fc.property(
        points,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (curve, a, b) => {
          const [weak, strong] = [a, b].toSorted((x, y) => x - y).map((value) => curveAt(curve, value, identity));
          expect(strong.error).toBeGreaterThanOrEqual(weak.error - 1e-12);
          expect(strong.rise).toBeGreaterThanOrEqual(weak.rise - 1e-9);
        },
      ),
    );
  });

  test('goes through the points that were measured, is straight between them, and goes on beyond them', () => {
    const curve: CurvePoint[] = [
      { value: 0, error: 0, rise: 0 },
      { value: 0.5, error: 0.2, rise: 1 },
      { value: 0.75, error: 0.4, rise: 3 },
    ];
    const place = (rate: number) => -Math.log2(1 - rate);
    expect(curveAt(curve, 0.5, place)).toEqual({ error: 0.2, rise: 1 });
    expect(curveAt(curve, 1 - Math.SQRT1_2, place).rise).toBeCloseTo(0.5, 12);
    expect(curveAt(curve, 1 - 2 ** -1.5, place).rise).toBeCloseTo(2, 12);
    expect(curveAt(curve, 1 - 2 ** -3, place).rise).toBeCloseTo(5, 12);
    expect(curveAt(curve, 1 - 2 ** -9, place).error).toBe(1);
  });
});

test('a curve with one value twice has the greater cost there', () => {
  const curve = [
    { value: 0, error: 0, rise: 0 },
    { value: 0, error: 0.1, rise: 1 },
  ];
  expect(curveAt(curve, 0.4, identity)).toMatchObject({ error: 0.1, rise: 1 });
});

describe('the cost of a weight', () => {
  test('by its energy is what LAMP adds up: the squares of its least weights, each over those that are not less', () => {
    const weights = [0.1, 0.2, 0.4, 0.9, 1.3, 2];
    const energy = weights.reduce((sum, weight) => sum + weight ** 2, 0);
    const pruned = 2;
    // For small scores, -ln(1 - s) is s: the sum over the pruned weights of -ln(1 - LAMP score) is -ln of the part that is left.
    const scores = weights.map(
      (weight, i) => weight ** 2 / weights.slice(i).reduce((sum, other) => sum + other ** 2, 0),
    );
    const lamp = scores.slice(0, pruned).reduce((sum, score) => sum - Math.log(1 - score), 0);
    const error = weights.slice(0, pruned).reduce((sum, weight) => sum + weight ** 2, 0) / energy;
    expect(costsOf({ energy, gradient: 1 }, [{ error, rise: 0 }]).energy).toBeCloseTo(lamp, 12);
  });

  test('by its gradient is what the diagonal of the Fisher matrix says of small changes', () => {
    const costs = costsOf({ energy: 10, gradient: 3 }, [{ error: 1e-5, rise: 0.5 }]);
    expect(costs.gradient).toBeCloseTo(3 * 10 * 1e-5, 8);
  });

  test('of several compressions is finite, and grows with each', () => {
    const one = costsOf({ energy: 2, gradient: 1 }, [{ error: 0.5, rise: 1 }]);
    const two = costsOf({ energy: 2, gradient: 1 }, [{ error: 0.5, rise: 1 }, { error: 1, rise: 2 }]); // prettier-ignore
    expect(two.sensitivity).toBe(3);
    expect(two.energy).toBeGreaterThan(one.energy);
    expect(Number.isFinite(two.energy) && Number.isFinite(two.gradient)).toBe(true);
  });
});
