import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SensitivityCell } from '../../../server/protocol/run/sensitivityReport.ts';
import { frontOf, nextToEase, strongestWithin } from '../../../server/sensitivity/fronts.ts';

const DENSE = 1000;

function cell(bytes: number, drop: number | null): SensitivityCell {
  return {
    weight: 'fc1/kernel',
    method: 'prune',
    parameter: 'rate',
    setting: 0.5,
    value: 0,
    loss: 0,
    drop,
    bytes,
    error: 0.1,
  };
}

const cells = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 1200 }), drop: fc.option(fc.double({ min: -1, max: 1, noNaN: true })) })
    .map(({ bytes, drop }) => cell(bytes, drop)),
);

describe('frontOf', () => {
  test('ends with the weight as it is, and each choice takes more bytes and costs less than the one before', () => {
    fc.assert(
      fc.property(cells, (given) => {
        const front = frontOf(given, DENSE);
        expect(front.at(-1)).toMatchObject({ cell: undefined, bytes: DENSE });
        front.slice(1).forEach((choice, i) => {
          expect(choice.bytes).toBeGreaterThan(front[i].bytes);
          expect(choice.drop).toBeLessThanOrEqual(front[i].drop);
        });
      }),
    );
  });

  test('has for each cell that saves bytes a choice that is as small and costs as little', () => {
    fc.assert(
      fc.property(cells, (given) => {
        const front = frontOf(given, DENSE);
        for (const { bytes, drop } of given)
          if (drop !== null && bytes < DENSE)
            expect(front.some((choice) => choice.bytes <= bytes && choice.drop <= drop)).toBe(true);
      }),
    );
  });

  test('leaves out what is not finite', () => {
    expect(frontOf([cell(10, null)], DENSE)).toEqual([{ cell: undefined, bytes: DENSE, drop: 0 }]);
  });
});

test('the strongest choice within a drop is the smallest cell that costs no more', () => {
  fc.assert(
    fc.property(cells, fc.double({ min: 0, max: 1, noNaN: true }), (given, maxDrop) => {
      const front = frontOf(given, DENSE);
      const fitting = given.filter(({ drop, bytes }) => drop !== null && drop <= maxDrop && bytes < DENSE);
      const smallest = Math.min(DENSE, ...fitting.map(({ bytes }) => bytes));
      expect(front[strongestWithin(front, maxDrop)].bytes).toBe(smallest);
    }),
  );
});

describe('nextToEase', () => {
  const steep = frontOf([cell(100, 0.5), cell(200, 0)], DENSE);
  const flat = frontOf([cell(100, 0.5), cell(900, 0)], DENSE);

  test('is the front that gives back more of the metric for its bytes', () => {
    expect(nextToEase([flat, steep], [0, 0])).toBe(1);
    expect(nextToEase([flat, steep], [0, 1])).toBe(0);
  });

  test('is none where all weights are as they are, which easing comes to in the end', () => {
    const places = [0, 0];
    for (let steps = 0; ; steps++) {
      const eased = nextToEase([flat, steep], places);
      if (eased === undefined) break;
      places[eased]++;
      expect(steps).toBeLessThan(4);
    }
    expect(places).toEqual([2, 2]);
  });
});
